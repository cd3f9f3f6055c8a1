/* An implementation that does, in one place, what no implementation may. Its file's
 * name says where and what: "hostile.PLACE.ACT.so" with the words of the tables below.
 * Beside that it has small right device and cancel-safe queues, so that a place is
 * reached. */
#define _GNU_SOURCE
#include <csq.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf dead_frame;
static volatile int forever = 1;

static void ActExit(void) { exit(0); }
static void ActQuickExit(void) { _exit(0); }
static void ActExitOne(void) { exit(1); }
static void ActLibraryQuickExit(void) { quick_exit(0); }
static void ActSystemExit(void) { syscall(SYS_exit_group, 0); }
static void ActAbort(void) { abort(); }
static void ActTrap(void) { __builtin_trap(); }
static void ActFloat(void) { raise(SIGFPE); }
static void ActPipe(void) { raise(SIGPIPE); }
static void ActBus(void) {
  const int file = memfd_create("empty", 0);
  volatile char* const bytes = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
  (void)bytes[0];
}
static void ActSegv(void) { *(volatile int*)8 = 1; }
static void ActKill(void) { kill(getpid(), SIGKILL); }
static void ActTerm(void) { raise(SIGTERM); }
static void ActStop(void) { raise(SIGSTOP); }
static void ActLoop(void) {
  while (forever) {
  }
}
static void ActSleep(void) {
  while (forever) sleep(1000);
}
static void BlockSignals(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  for (int i = 1; i < NSIG; ++i) signal(i, SIG_IGN);
}
static void ActDisarmAndLoop(void) {
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  ActLoop();
}
static void ActBlockAndLoop(void) {
  BlockSignals();
  ActLoop();
}
static void ActBlockAndSleep(void) {
  BlockSignals();
  ActSleep();
}
static void ActBlock(void) { BlockSignals(); }
/* Both processes go on. */
static void ActFork(void) { (void)!fork(); }
/* Without the C library, whose handlers of fork() would be called. */
static void ActSystemFork(void) { (void)!syscall(SYS_fork); }
static void ActForkAndWait(void) {
  const pid_t child = fork();
  if (child > 0) waitpid(child, NULL, 0);
}
static void ActDaemon(void) {
  if (fork() != 0) return;
  setsid();
  if (fork() != 0) _exit(0);
  BlockSignals();
  ActSleep();
}
static void ActExec(void) { execl("/bin/true", "true", (char*)NULL); }
static void ActExecSleep(void) { execl("/bin/sleep", "sleep", "1000", (char*)NULL); }
static void* Spin(void* nothing) {
  ActLoop();
  return nothing;
}
static void ActThread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Spin, NULL);
}
static void* Doze(void* nothing) {
  ActSleep();
  return nothing;
}
static void ActManyThreads(void) {
  pthread_t thread;
  for (int i = 0; i < 64; ++i) pthread_create(&thread, NULL, Doze, NULL);
}
static void* Leave(void* nothing) {
  exit(0);
  return nothing;
}
static void ActThreadExits(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Leave, NULL);
  pthread_join(thread, NULL);
}
static void ActEndThread(void) { pthread_exit(NULL); }
static void ActMemory(void) {
  const size_t piece = (size_t)16 << 20;
  for (;;) {
    volatile char* const bytes = malloc(piece);
    if (bytes == NULL) abort();
    for (size_t i = 0; i < piece; i += 4096) bytes[i] = 1;
  }
}
static void ActManyDescriptors(void) {
  while (open("/dev/null", O_RDONLY) >= 0) {
  }
}
static void ActClose(void) {
  for (int i = 0; i < 1024; ++i) close(i);
}
static void ActWriteAll(void) {
  static const char text[] = "ok 1 - dq.insert.idle\n  ---\n  verdict: pass\n  ...\n";
  for (int i = 3; i < 1024; ++i) (void)!write(i, text, sizeof text - 1);
}
static void ActReplaceOutput(void) {
  const int null = open("/dev/null", O_WRONLY);
  for (int i = 0; i < 3; ++i) dup2(null, i);
}
static void ActDirectory(void) { (void)!chdir("/"); }
static void ActUmask(void) { umask(0777); }
static void ActHandler(void) { signal(SIGALRM, SIG_IGN); }
static void ActAlarm(void) {
  const struct itimerval soon = {{0, 0}, {0, 1000}};
  setitimer(ITIMER_REAL, &soon, NULL);
  ActSleep();
}
static void ActLongjmp(void) { longjmp(dead_frame, 1); }
static void ActStack(void) {
  volatile char bytes[4096];
  bytes[0] = 1;
  if (forever) ActStack();
  bytes[1] = bytes[0];
}
/* An overflow that finds no stack for its handler either. */
static void ActStackWithoutAnother(void) {
  stack_t none = {0};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, NULL);
  ActStack();
}
static void ActUnmap(void) {
  FILE* maps = fopen("/proc/self/maps", "r");
  unsigned long begin, end;
  char line[4096];
  static struct {
    unsigned long begin, end;
  } all[1000];
  int count = 0;
  while (maps != NULL && count < 1000 && fgets(line, sizeof line, maps) != NULL) {
    if (sscanf(line, "%lx-%lx", &begin, &end) != 2) continue;
    all[count].begin = begin;
    all[count++].end = end;
  }
  for (int i = 0; i < count; ++i) munmap((void*)all[i].begin, all[i].end - all[i].begin);
}
static void ActLimits(void) {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_FSIZE, &none);
  setrlimit(RLIMIT_NOFILE, &none);
}
static void ActLimitProcessor(void) {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CPU, &none);
  ActLoop();
}
static void ActLimitMemory(void) {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_AS, &none);
}
static void ActKillGroup(void) { kill(0, SIGKILL); }
static void ActBadHeap(void) {
  void* volatile no_heap = (void*)&forever;
  free(no_heap);
}

static const struct {
  const char* name;
  void (*act)(void);
} kActs[] = {
    {"exit", ActExit},
    {"quick-exit", ActQuickExit},
    {"exit-one", ActExitOne},
    {"library-exit", ActLibraryQuickExit},
    {"system-exit", ActSystemExit},
    {"abort", ActAbort},
    {"trap", ActTrap},
    {"float", ActFloat},
    {"pipe", ActPipe},
    {"bus", ActBus},
    {"segv", ActSegv},
    {"kill", ActKill},
    {"term", ActTerm},
    {"stop", ActStop},
    {"loop", ActLoop},
    {"sleep", ActSleep},
    {"disarm-loop", ActDisarmAndLoop},
    {"block-loop", ActBlockAndLoop},
    {"block-sleep", ActBlockAndSleep},
    {"block", ActBlock},
    {"fork", ActFork},
    {"system-fork", ActSystemFork},
    {"fork-wait", ActForkAndWait},
    {"daemon", ActDaemon},
    {"exec", ActExec},
    {"exec-sleep", ActExecSleep},
    {"thread", ActThread},
    {"many-threads", ActManyThreads},
    {"thread-exits", ActThreadExits},
    {"end-thread", ActEndThread},
    {"memory", ActMemory},
    {"many-descriptors", ActManyDescriptors},
    {"close", ActClose},
    {"write-all", ActWriteAll},
    {"replace-output", ActReplaceOutput},
    {"directory", ActDirectory},
    {"umask", ActUmask},
    {"handler", ActHandler},
    {"alarm", ActAlarm},
    {"longjmp", ActLongjmp},
    {"stack", ActStack},
    {"stack-alone", ActStackWithoutAnother},
    {"unmap", ActUnmap},
    {"limits", ActLimits},
    {"limit-processor", ActLimitProcessor},
    {"limit-memory", ActLimitMemory},
    {"kill-group", ActKillGroup},
    {"bad-heap", ActBadHeap},
};

/* Acts if the name of this file says so. */
static void Place(const char* place) {
  static char name[256];
  if (name[0] == 0) {
    Dl_info info;
    if (dladdr((void*)&Place, &info) == 0) return;
    const char* slash = strrchr(info.dli_fname, '/');
    snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : info.dli_fname);
  }
  const size_t length = strlen(place);
  const char* at = name + sizeof "hostile." - 1;
  if (strncmp(name, "hostile.", sizeof "hostile." - 1) != 0) return;
  if (strncmp(at, place, length) != 0 || at[length] != '.') return;
  at += length + 1;
  for (size_t i = 0; i < sizeof kActs / sizeof kActs[0]; ++i) {
    const size_t size = strlen(kActs[i].name);
    if (strncmp(at, kActs[i].name, size) == 0 && strcmp(at + size, ".so") == 0) kActs[i].act();
  }
}

__attribute__((constructor)) static void Construct(void) { Place("constructor"); }
__attribute__((destructor)) static void Destruct(void) { Place("destructor"); }

/* A frame that is left, and then jumped into. */
static __attribute__((noinline)) void LeaveFrame(void) { (void)setjmp(dead_frame); }

VOID KeInitializeDeviceQueue(PKDEVICE_QUEUE queue) {
  LeaveFrame();
  InitializeListHead(&queue->DeviceListHead);
  KeInitializeSpinLock(&queue->Lock);
  queue->Busy = FALSE;
}

BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  Place("routine");
  const KIRQL irql = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
  Place("locked");
  const BOOLEAN queued = queue->Busy;
  queue->Busy = TRUE;
  entry->Inserted = queued;
  if (queued) InsertTailList(&queue->DeviceListHead, &entry->DeviceListEntry);
  KeReleaseSpinLock(&queue->Lock, irql);
  return queued;
}

PKDEVICE_QUEUE_ENTRY KeRemoveDeviceQueue(PKDEVICE_QUEUE queue) {
  const KIRQL irql = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
  PKDEVICE_QUEUE_ENTRY entry = NULL;
  if (IsListEmpty(&queue->DeviceListHead)) {
    queue->Busy = FALSE;
  } else {
    entry = CONTAINING_RECORD(RemoveHeadList(&queue->DeviceListHead), KDEVICE_QUEUE_ENTRY,
                              DeviceListEntry);
    entry->Inserted = FALSE;
  }
  KeReleaseSpinLock(&queue->Lock, irql);
  return entry;
}

NTSTATUS IoCsqInitialize(PIO_CSQ csq, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                         PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                         PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete) {
  LeaveFrame();
  csq->Type = IO_TYPE_CSQ;
  csq->CsqInsertIrp = insert;
  csq->CsqRemoveIrp = remove;
  csq->CsqPeekNextIrp = peek;
  csq->CsqAcquireLock = acquire;
  csq->CsqReleaseLock = release;
  csq->CsqCompleteCanceledIrp = complete;
  csq->ReservePointer = NULL;
  return STATUS_SUCCESS;
}

static VOID NTAPI CancelRoutine(PDEVICE_OBJECT device, PIRP irp) {
  (void)device;
  IoReleaseCancelSpinLock(irp->CancelIrql);
}

/* "callback": between the driver's acquire and its insert callback. */
VOID IoCsqInsertIrp(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  KIRQL irql = PASSIVE_LEVEL;
  if (context != NULL) context->Irp = irp;
  irp->Tail.Overlay.DriverContext[3] = context != NULL ? (PVOID)context : (PVOID)csq;
  csq->CsqAcquireLock(csq, &irql);
  Place("callback");
  csq->CsqInsertIrp(csq, irp);
  IoMarkIrpPending(irp);
  (void)IoSetCancelRoutine(irp, CancelRoutine);
  csq->CsqReleaseLock(csq, irql);
}
