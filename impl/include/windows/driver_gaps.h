// What newer documentation has and the DDK of mingw-w64 has not. Included behind the DDK's
// own header of the name that the driver asked for.
#ifndef CANCELSAFE_WINDOWS_DRIVER_GAPS_H_
#define CANCELSAFE_WINDOWS_DRIVER_GAPS_H_

#ifdef __cplusplus
extern "C" {
#endif

// Function types of the cancel-safe queues; the header has pointers to them alone.
typedef VOID NTAPI IO_CSQ_INSERT_IRP(struct _IO_CSQ *Csq, PIRP Irp);
typedef VOID NTAPI IO_CSQ_REMOVE_IRP(struct _IO_CSQ *Csq, PIRP Irp);
typedef PIRP NTAPI IO_CSQ_PEEK_NEXT_IRP(struct _IO_CSQ *Csq, PIRP Irp, PVOID PeekContext);
typedef VOID NTAPI IO_CSQ_ACQUIRE_LOCK(struct _IO_CSQ *Csq, PKIRQL Irql);
typedef VOID NTAPI IO_CSQ_RELEASE_LOCK(struct _IO_CSQ *Csq, KIRQL Irql);
typedef VOID NTAPI IO_CSQ_COMPLETE_CANCELED_IRP(struct _IO_CSQ *Csq, PIRP Irp);

typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_USE_QUOTA 0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ULL
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED 0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED 0x0000000000000100ULL
PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID NTAPI ExAllocatePoolQuotaZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);

#define DrvRtPoolNxOptIn 0x00000001
VOID NTAPI ExInitializeDriverRuntime(ULONG RuntimeFlags);

NTSTATUS NTAPI IoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
                                    PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType,
                                    ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                                    PCUNICODE_STRING DefaultSDDLString, const GUID *DeviceClassGuid,
                                    PDEVICE_OBJECT *DeviceObject);

// Loads and stores of a named order (drivers' names for them), for each width.
#ifndef ReadAcquire
#define CANCELSAFE_ORDERED(Suffix, Type)                                              \
  static __inline Type ReadAcquire##Suffix(const volatile Type *Source) {             \
    return __atomic_load_n(Source, __ATOMIC_ACQUIRE);                                 \
  }                                                                                   \
  static __inline Type ReadNoFence##Suffix(const volatile Type *Source) {             \
    return __atomic_load_n(Source, __ATOMIC_RELAXED);                                 \
  }                                                                                   \
  static __inline VOID WriteRelease##Suffix(volatile Type *Destination, Type Value) { \
    __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);                           \
  }                                                                                   \
  static __inline VOID WriteNoFence##Suffix(volatile Type *Destination, Type Value) { \
    __atomic_store_n(Destination, Value, __ATOMIC_RELAXED);                           \
  }
CANCELSAFE_ORDERED(, LONG)
CANCELSAFE_ORDERED(8, CHAR)
CANCELSAFE_ORDERED(16, SHORT)
CANCELSAFE_ORDERED(64, LONG64)
CANCELSAFE_ORDERED(Pointer, PVOID)
#undef CANCELSAFE_ORDERED
#endif

// The DDK's read a page of the kernel.
VOID NTAPI CancelsafeQuerySystemTime(PLARGE_INTEGER CurrentTime);
VOID NTAPI CancelsafeQueryTickCount(PLARGE_INTEGER CurrentCount);
ULONG64 NTAPI CancelsafeQueryInterruptTime(VOID);
#undef KeQuerySystemTime
#undef KeQueryTickCount
#undef KeQueryInterruptTime
#define KeQuerySystemTime(CurrentTime) CancelsafeQuerySystemTime(CurrentTime)
#define KeQueryTickCount(CurrentCount) CancelsafeQueryTickCount(CurrentCount)
#define KeQueryInterruptTime() CancelsafeQueryInterruptTime()

#ifdef __cplusplus
}
#endif

#endif  // CANCELSAFE_WINDOWS_DRIVER_GAPS_H_
