// The annotations of the documented headers: words that a static checker of drivers
// reads, and that have no meaning for this host. One list, so that a source which uses
// them compiles as it is.
#ifndef CANCELSAFE_SAL_H_
#define CANCELSAFE_SAL_H_

/* Parameters and results. */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(n)
#define _In_reads_opt_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _In_range_(low, high)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_opt_(n)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Out_writes_bytes_to_(n, count)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(n)
#define _Inout_updates_bytes_(n)
#define _Inout_updates_opt_(n)
#define _Deref_out_range_(low, high)
#define _Reserved_
#define _Const_
#define _Points_to_data_
#define _Printf_format_string_
#define _Null_terminated_
#define _Notnull_
#define _Maybenull_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_opt_
#define _Ret_range_(low, high)
#define _Field_size_(n)
#define _Field_size_bytes_(n)
#define _Field_range_(low, high)
#define _Struct_size_bytes_(n)
#define _Must_inspect_result_
#define _Check_return_
#define _Success_(condition)
#define _Return_type_success_(condition)
#define _On_failure_(annotation)
#define _Always_(annotation)
#define _Pre_
#define _Pre_notnull_
#define _Pre_maybenull_
#define _Post_
#define _Post_invalid_
#define _Post_ptr_invalid_
#define _Post_satisfies_(condition)
#define _Post_writable_byte_size_(n)
#define _Use_decl_annotations_
#define _Function_class_(name)
#define _When_(condition, annotation)
#define _At_(target, annotation)
#define _At_buffer_(target, index, n, annotation)
#define _Group_(annotation)
#define _Strict_type_match_
#define _Enum_is_bitflag_
#define _Literal_
#define _Interlocked_operand_
#define _Analysis_assume_(condition)
#define _Analysis_assume_lock_held_(lock)
#define _Analysis_noreturn_
#define __analysis_assume(condition)

/* IRQL and locks. */
#define _IRQL_requires_max_(level)
#define _IRQL_requires_min_(level)
#define _IRQL_requires_(level)
#define _IRQL_requires_same_
#define _IRQL_always_function_max_(level)
#define _IRQL_always_function_min_(level)
#define _IRQL_raises_(level)
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_saves_global_(kind, parameter)
#define _IRQL_restores_global_(kind, parameter)
#define _IRQL_uses_cancel_
#define _IRQL_is_cancel_
#define _Acquires_lock_(lock)
#define _Acquires_exclusive_lock_(lock)
#define _Acquires_shared_lock_(lock)
#define _Acquires_nonreentrant_lock_(lock)
#define _Releases_lock_(lock)
#define _Releases_exclusive_lock_(lock)
#define _Releases_shared_lock_(lock)
#define _Releases_nonreentrant_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Requires_exclusive_lock_held_(lock)
#define _Requires_shared_lock_held_(lock)
#define _Requires_lock_not_held_(lock)
#define _Requires_no_locks_held_
#define _Post_same_lock_(one, other)
#define _Guarded_by_(lock)
#define _Write_guarded_by_(lock)
#define _Interlocked_
#define _Has_lock_kind_(kind)
#define _Has_lock_level_(level)
#define _Create_lock_level_(level)
#define _Lock_level_order_(one, other)
#define _Requires_lock_kind_(kind)
#define _Global_cancel_spin_lock_
#define _Global_critical_region_
#define _Kernel_float_saved_
#define _Kernel_clear_do_init_(answer)
#define _Dispatch_type_(function)
#define _Benign_race_begin_
#define _Benign_race_end_

/* The same in the words of older headers. */
#ifndef __drv_aliasesMem
#define __drv_aliasesMem
#endif
#define __drv_allocatesMem(kind)
#define __drv_freesMem(kind)
#define __drv_acquiresCancelSpinLock
#define __drv_releasesCancelSpinLock
#define __drv_acquiresExclusiveResource(kind)
#define __drv_releasesExclusiveResource(kind)
#define __drv_maxIRQL(level)
#define __drv_minIRQL(level)
#define __drv_requiresIRQL(level)
#define __drv_raisesIRQL(level)
#define __drv_savesIRQL
#define __drv_restoresIRQL
#define __drv_savesIRQLGlobal(kind, parameter)
#define __drv_restoresIRQLGlobal(kind, parameter)
#define __drv_setsIRQL(level)
#define __drv_sameIRQL
#define __drv_useCancelIRQL
#define __drv_isCancelIRQL
#define __drv_mustHold(kind)
#define __drv_mustHoldCancelSpinLock
#define __drv_neverHold(kind)
#define __drv_neverHoldCancelSpinLock
#define __drv_functionClass(name)
#define __drv_dispatchType(function)
#define __drv_clearDoInit(answer)
#define __drv_when(condition, annotation)
#define __drv_at(target, annotation)
#define __drv_in(annotation)
#define __drv_out(annotation)
#define __drv_arg(parameter, annotation)
#define __drv_valueIs(values)
#define __drv_reportError(text)
#define __drv_strictTypeMatch(kind)
#define __drv_preferredFunction(name, reason)
#define __drv_inTry
#define __drv_notInTry

/* Names that a C++ library uses for its own parameters. */
#ifndef __cplusplus
#define __in
#define __in_opt
#define __in_bcount(n)
#define __in_ecount(n)
#define __out
#define __out_opt
#define __out_bcount(n)
#define __out_ecount(n)
#define __inout
#define __inout_opt
#define __deref_out
#define __deref_out_opt
#define __reserved
#define __checkReturn
#define __nullterminated
#endif

#endif /* CANCELSAFE_SAL_H_ */
