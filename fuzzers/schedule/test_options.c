// How the tests of this room run under TSan: every report, also a repeated one, and
// no second of sleep at the end of a process. Not instrumented: TSan calls this
// before it is ready.
const char* __tsan_default_options(void);
const char* __tsan_default_options(void) {
  return "atexit_sleep_ms=0:report_signal_unsafe=0:suppress_equal_stacks=0:"
         "suppress_equal_addresses=0";
}
