/* A DLL whose exports are no documented routines. */
int SomethingElse(void) { return 1; }
