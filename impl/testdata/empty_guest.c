/* A shared object that is no guest at all. */
int CancelsafeEmptyGuest(void);
int CancelsafeEmptyGuest(void) { return 0; }
