// Names for compiler warnings to be suppressed: none are.
