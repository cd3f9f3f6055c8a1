// The minifilter side: callback data, their queues and the few filter
// manager routines that end an operation (clauses CBDQ-*). What a minifilter registers
// is in flt_registration.h. Read by hosts, by implementations and, through
// windows/fltKernel.h, by minifilters built for Windows: the one definition of all.
#ifndef CANCELSAFE_FLTKERNEL_H_
#define CANCELSAFE_FLTKERNEL_H_

#include "ntifs.h"

CANCELSAFE_BEGIN_C

typedef struct _FLT_FILTER *PFLT_FILTER;
typedef struct _FLT_VOLUME *PFLT_VOLUME;
typedef struct _FLT_INSTANCE *PFLT_INSTANCE;
typedef struct _FLT_TAG_DATA_BUFFER *PFLT_TAG_DATA_BUFFER;
typedef ULONG FLT_CALLBACK_DATA_FLAGS;

#define FLTFL_CALLBACK_DATA_IRP_OPERATION 0x00000001u
#define FLTFL_CALLBACK_DATA_FAST_IO_OPERATION 0x00000002u
#define FLTFL_CALLBACK_DATA_FS_FILTER_OPERATION 0x00000004u
#define FLTFL_CALLBACK_DATA_SYSTEM_BUFFER 0x00000008u
#define FLTFL_CALLBACK_DATA_GENERATED_IO 0x00010000u
#define FLTFL_CALLBACK_DATA_REISSUED_IO 0x00020000u
#define FLTFL_CALLBACK_DATA_DRAINING_IO 0x00040000u
#define FLTFL_CALLBACK_DATA_POST_OPERATION 0x00080000u
#define FLTFL_CALLBACK_DATA_DIRTY 0x80000000u

/* A member that begins at a multiple of eight bytes. */
#define FLT_ALIGNED __attribute__((aligned(8)))

/* By the major function code; those that are not named come as Others. */
typedef union _FLT_PARAMETERS {
  struct {
    PVOID SecurityContext;
    ULONG Options;
    USHORT FLT_ALIGNED FileAttributes;
    USHORT ShareAccess;
    ULONG FLT_ALIGNED EaLength;
    PVOID EaBuffer;
    LARGE_INTEGER AllocationSize;
  } Create;
  struct {
    ULONG Length;
    ULONG FLT_ALIGNED Key;
    LARGE_INTEGER ByteOffset;
    PVOID ReadBuffer;
    PMDL MdlAddress;
  } Read;
  struct {
    ULONG Length;
    ULONG FLT_ALIGNED Key;
    LARGE_INTEGER ByteOffset;
    PVOID WriteBuffer;
    PMDL MdlAddress;
  } Write;
  union {
    struct {
      ULONG OutputBufferLength;
      ULONG FLT_ALIGNED InputBufferLength;
      ULONG FLT_ALIGNED IoControlCode;
    } Common;
    struct {
      ULONG OutputBufferLength;
      ULONG FLT_ALIGNED InputBufferLength;
      ULONG FLT_ALIGNED IoControlCode;
      PVOID InputBuffer;
      PVOID OutputBuffer;
      PMDL OutputMdlAddress;
    } Neither;
    struct {
      ULONG OutputBufferLength;
      ULONG FLT_ALIGNED InputBufferLength;
      ULONG FLT_ALIGNED IoControlCode;
      PVOID SystemBuffer;
    } Buffered;
    struct {
      ULONG OutputBufferLength;
      ULONG FLT_ALIGNED InputBufferLength;
      ULONG FLT_ALIGNED IoControlCode;
      PVOID InputSystemBuffer;
      PVOID OutputBuffer;
      PMDL OutputMdlAddress;
    } Direct;
  } DeviceIoControl;
  struct {
    PVOID Argument1;
    PVOID Argument2;
    PVOID Argument3;
    PVOID Argument4;
    PVOID Argument5;
    LARGE_INTEGER Argument6;
  } Others;
} FLT_PARAMETERS, *PFLT_PARAMETERS;

CANCELSAFE_STATIC_ASSERT(sizeof(FLT_PARAMETERS) == 48, "48 bytes on amd64");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_PARAMETERS, Create.ShareAccess) == 18, "ShareAccess @18");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_PARAMETERS, Read.ReadBuffer) == 24, "ReadBuffer @24");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_PARAMETERS, DeviceIoControl.Neither.OutputBuffer) == 32,
                         "OutputBuffer @32");

typedef struct _FLT_IO_PARAMETER_BLOCK {
  ULONG IrpFlags;
  UCHAR MajorFunction;
  UCHAR MinorFunction;
  UCHAR OperationFlags;
  UCHAR Reserved;
  PFILE_OBJECT TargetFileObject;
  PFLT_INSTANCE TargetInstance;
  FLT_PARAMETERS Parameters;
} FLT_IO_PARAMETER_BLOCK, *PFLT_IO_PARAMETER_BLOCK;

CANCELSAFE_STATIC_ASSERT(sizeof(FLT_IO_PARAMETER_BLOCK) == 72, "72 bytes on amd64");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_IO_PARAMETER_BLOCK, Parameters) == 24, "Parameters @24");

typedef struct _FLT_CALLBACK_DATA {
  FLT_CALLBACK_DATA_FLAGS Flags;
  PETHREAD Thread;
  PFLT_IO_PARAMETER_BLOCK Iopb;
  IO_STATUS_BLOCK IoStatus;
  PFLT_TAG_DATA_BUFFER TagData;
  __extension__ union {
    __extension__ struct {
      LIST_ENTRY QueueLinks;
      PVOID QueueContext[2];
    };
    PVOID FilterContext[4];
  };
  KPROCESSOR_MODE RequestorMode;
} FLT_CALLBACK_DATA, *PFLT_CALLBACK_DATA;

CANCELSAFE_STATIC_ASSERT(sizeof(FLT_CALLBACK_DATA) == 88, "88 bytes on amd64");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_CALLBACK_DATA, IoStatus) == 24, "IoStatus @24");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_CALLBACK_DATA, QueueLinks) == 48, "QueueLinks @48");

#define FLT_IS_IRP_OPERATION(Data) ((Data)->Flags & FLTFL_CALLBACK_DATA_IRP_OPERATION)
#define FLT_IS_FASTIO_OPERATION(Data) ((Data)->Flags & FLTFL_CALLBACK_DATA_FAST_IO_OPERATION)
#define FLT_IS_FS_FILTER_OPERATION(Data) ((Data)->Flags & FLTFL_CALLBACK_DATA_FS_FILTER_OPERATION)

typedef enum _FLT_PREOP_CALLBACK_STATUS {
  FLT_PREOP_SUCCESS_WITH_CALLBACK,
  FLT_PREOP_SUCCESS_NO_CALLBACK,
  FLT_PREOP_PENDING,
  FLT_PREOP_DISALLOW_FASTIO,
  FLT_PREOP_COMPLETE,
  FLT_PREOP_SYNCHRONIZE,
  FLT_PREOP_DISALLOW_FSFILTER_IO
} FLT_PREOP_CALLBACK_STATUS;

struct _FLT_CALLBACK_DATA_QUEUE;
typedef IO_CSQ_IRP_CONTEXT FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT;
typedef FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT *PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT;

typedef NTSTATUS (*PFLT_CALLBACK_DATA_QUEUE_INSERT_IO)(struct _FLT_CALLBACK_DATA_QUEUE *Cbdq,
                                                       PFLT_CALLBACK_DATA Cbd, PVOID InsertContext);
typedef VOID (*PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO)(struct _FLT_CALLBACK_DATA_QUEUE *Cbdq,
                                                   PFLT_CALLBACK_DATA Cbd);
typedef PFLT_CALLBACK_DATA (*PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO)(
    struct _FLT_CALLBACK_DATA_QUEUE *Cbdq, PFLT_CALLBACK_DATA Cbd, PVOID PeekContext);
typedef VOID (*PFLT_CALLBACK_DATA_QUEUE_ACQUIRE)(struct _FLT_CALLBACK_DATA_QUEUE *Cbdq,
                                                 PKIRQL Irql);
typedef VOID (*PFLT_CALLBACK_DATA_QUEUE_RELEASE)(struct _FLT_CALLBACK_DATA_QUEUE *Cbdq, KIRQL Irql);
typedef VOID (*PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO)(struct _FLT_CALLBACK_DATA_QUEUE *Cbdq,
                                                              PFLT_CALLBACK_DATA Cbd);

typedef ULONG FLT_CALLBACK_DATA_QUEUE_FLAGS;

typedef struct _FLT_CALLBACK_DATA_QUEUE {
  IO_CSQ Csq;
  FLT_CALLBACK_DATA_QUEUE_FLAGS Flags;
  PFLT_INSTANCE Instance;
  PFLT_CALLBACK_DATA_QUEUE_INSERT_IO InsertIo;
  PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO RemoveIo;
  PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO PeekNextIo;
  PFLT_CALLBACK_DATA_QUEUE_ACQUIRE Acquire;
  PFLT_CALLBACK_DATA_QUEUE_RELEASE Release;
  PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO CompleteCanceledIo;
} FLT_CALLBACK_DATA_QUEUE, *PFLT_CALLBACK_DATA_QUEUE;

CANCELSAFE_STATIC_ASSERT(sizeof(FLT_CALLBACK_DATA_QUEUE) == 128, "128 bytes on amd64");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_CALLBACK_DATA_QUEUE, Flags) == 64, "Flags @64");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_CALLBACK_DATA_QUEUE, Instance) == 72, "Instance @72");
CANCELSAFE_STATIC_ASSERT(offsetof(FLT_CALLBACK_DATA_QUEUE, CompleteCanceledIo) == 120,
                         "CompleteCanceledIo @120");

NTSTATUS FLTAPI FltCbdqInitialize(
    PFLT_INSTANCE Instance, PFLT_CALLBACK_DATA_QUEUE Cbdq,
    PFLT_CALLBACK_DATA_QUEUE_INSERT_IO CbdqInsertIo,
    PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO CbdqRemoveIo,
    PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO CbdqPeekNextIo,
    PFLT_CALLBACK_DATA_QUEUE_ACQUIRE CbdqAcquire, PFLT_CALLBACK_DATA_QUEUE_RELEASE CbdqRelease,
    PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO CbdqCompleteCanceledIo);
VOID FLTAPI FltCbdqEnable(PFLT_CALLBACK_DATA_QUEUE Cbdq);
VOID FLTAPI FltCbdqDisable(PFLT_CALLBACK_DATA_QUEUE Cbdq);
NTSTATUS FLTAPI FltCbdqInsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Cbd,
                                PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT Context, PVOID InsertContext);
PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq,
                                          PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT Context);
PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PVOID PeekContext);

/* Kernel services: provided by the host, never by an implementation. */
typedef VOID (*PFLT_COMPLETE_CANCELED_CALLBACK)(PFLT_CALLBACK_DATA CallbackData);
VOID FLTAPI FltCompletePendedPreOperation(PFLT_CALLBACK_DATA CallbackData,
                                          FLT_PREOP_CALLBACK_STATUS CallbackStatus, PVOID Context);
BOOLEAN FLTAPI FltCancelIo(PFLT_CALLBACK_DATA CallbackData);
NTSTATUS FLTAPI FltSetCancelCompletion(PFLT_CALLBACK_DATA CallbackData,
                                       PFLT_COMPLETE_CANCELED_CALLBACK CanceledCallback);
NTSTATUS FLTAPI FltClearCancelCompletion(PFLT_CALLBACK_DATA CallbackData);

/* No documented routine leads from callback data to its IRP or back, yet every
 * implementation of FltCbdq* needs both ways: the host offers them. */
PIRP CancelsafeIrpOfCallbackData(PFLT_CALLBACK_DATA CallbackData);
PFLT_CALLBACK_DATA CancelsafeCallbackDataOfIrp(PIRP Irp);

CANCELSAFE_END_C

#include "flt_registration.h"

#endif /* CANCELSAFE_FLTKERNEL_H_ */
