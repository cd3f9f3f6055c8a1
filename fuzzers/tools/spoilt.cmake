# Implementations with one known bug each, for the tests of this room: the reference
# with one piece of text replaced. Configuring fails if the text is not there.
include("${CMAKE_SOURCE_DIR}/oracle/families.cmake")
cancelsafe_families(families)

function(cancelsafe_spoilt name source from to)
  set(path "${CMAKE_SOURCE_DIR}/impl/reference/${source}.cc")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
  file(READ "${path}" before)
  string(REPLACE "${from}" "${to}" after "${before}")
  if(after STREQUAL before)
    message(FATAL_ERROR "spoilt_${name}: '${from}' is not in ${path}")
  endif()
  set(spoilt "${CMAKE_CURRENT_BINARY_DIR}/spoilt/${name}.cc")
  file(CONFIGURE OUTPUT "${spoilt}" CONTENT "${after}" @ONLY)
  # The rest of the reference goes with it: its parts call each other.
  set(sources "${spoilt}")
  foreach(other ${families})
    if(NOT other STREQUAL source)
      list(APPEND sources "${CMAKE_SOURCE_DIR}/impl/reference/${other}.cc")
    endif()
  endforeach()
  add_library(spoilt_${name} MODULE ${sources})
  cancelsafe_attacked(spoilt_${name})
  target_compile_options(spoilt_${name} PRIVATE -Wno-unused)
  set_target_properties(spoilt_${name} PROPERTIES PREFIX "")
  set_property(GLOBAL APPEND PROPERTY CANCELSAFE_SPOILT spoilt_${name})
endfunction()

# An IRP that is cancelled before it is queued stays queued for ever.
cancelsafe_spoilt(ignored_cancel csq
  "if (cancelled && IoSetCancelRoutine(Irp, nullptr) != nullptr)" "if (false && cancelled)")
# The cancel routine is stored, which orders the look at Cancel after nothing: on a processor
# with store buffers a cancel is lost.
cancelsafe_spoilt(stored_routine csq
  "IoSetCancelRoutine(Irp, &CancelRoutine);

  BOOLEAN cancelled = __atomic_load_n(&Irp->Cancel, __ATOMIC_SEQ_CST);"
  "__atomic_store_n(&Irp->CancelRoutine, &CancelRoutine, __ATOMIC_RELEASE);
  BOOLEAN cancelled = __atomic_load_n(&Irp->Cancel, __ATOMIC_ACQUIRE);")
# A removal by context takes an IRP that is being cancelled: it ends twice.
cancelsafe_spoilt(greedy_remove csq
  "if (irp == nullptr || IoSetCancelRoutine(irp, nullptr) == nullptr)"
  "if (irp == nullptr || (IoSetCancelRoutine(irp, nullptr), FALSE))")
# The same, and the process does not survive it.
cancelsafe_spoilt(crashing_remove csq
  "if (irp == nullptr || IoSetCancelRoutine(irp, nullptr) == nullptr)"
  "if (irp == nullptr || (IoSetCancelRoutine(irp, nullptr) == nullptr &&
                          (*(volatile int *)(ULONG_PTR)8 = 1)))")
# The same, and it ends the process as if all were well.
cancelsafe_spoilt(exiting_remove csq
  "if (irp == nullptr || IoSetCancelRoutine(irp, nullptr) == nullptr)"
  "void leave(int) __asm__(\"exit\");
  if (irp == nullptr || (IoSetCancelRoutine(irp, nullptr) == nullptr && (leave(0), true)))")
# The same, and it never returns.
cancelsafe_spoilt(hanging_remove csq
  "if (irp == nullptr || IoSetCancelRoutine(irp, nullptr) == nullptr)"
  "while (irp != nullptr && irp->CancelRoutine == nullptr) __asm__ volatile(\"\" ::: \"memory\");
  if (irp == nullptr || IoSetCancelRoutine(irp, nullptr) == nullptr)")
# The busy flag is read before the lock is taken.
cancelsafe_spoilt(early_busy device_queue
  "KIRQL irql;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);
  BOOLEAN inserted = DeviceQueue->Busy;"
  "KIRQL irql;
  BOOLEAN inserted = DeviceQueue->Busy;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);")
# A removal by key skips equal keys; no concurrency needed.
cancelsafe_spoilt(skipped_key device_queue "SortKey >= key" "SortKey > key")
# The device keeps its current IRP when there is no next one.
cancelsafe_spoilt(stale_current start_io "device->CurrentIrp = nullptr;" "")
