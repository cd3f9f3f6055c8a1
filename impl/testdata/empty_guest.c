/* A shared object that provides no routine at all. */
int CancelsafeEmptyGuest(void);
int CancelsafeEmptyGuest(void) { return 0; }
