// See signals.h.
#include "base/signals.h"

#include <dlfcn.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <initializer_list>

namespace cancelsafe {

void CatchDeadlySignals(void (*handler)(int)) {
  static char stack[256 * 1024];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int number : {SIGABRT
#ifndef CANCELSAFE_SANITIZER_ADDRESS
                           ,
                           SIGSEGV, SIGBUS, SIGILL, SIGFPE
#endif
       }) {
    sigaction(number, &action, nullptr);
  }
}

void CatchAlarm(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  sigaction(SIGALRM, &action, nullptr);
#ifdef CANCELSAFE_SANITIZER_THREAD
  // TSan's own sigaction keeps signals back until the next call into libc, where a guest
  // that spins never arrives.
  using Sigaction = int (*)(int, const struct sigaction*, struct sigaction*);
  const auto libc_sigaction = reinterpret_cast<Sigaction>(dlsym(RTLD_NEXT, "sigaction"));
  if (libc_sigaction != nullptr) libc_sigaction(SIGALRM, &action, nullptr);
#endif
}

StopSignals::StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, &before_);
  file_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

StopSignals::~StopSignals() {
  while (Take()) {
  }
  close(file_);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool StopSignals::Take() const {
  signalfd_siginfo info;
  return read(file_, &info, sizeof info) == sizeof info;
}

}  // namespace cancelsafe
