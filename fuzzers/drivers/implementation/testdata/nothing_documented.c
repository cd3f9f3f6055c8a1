/* A DLL that exports none of the documented routines. */
int SomethingElse(void) { return 1; }
