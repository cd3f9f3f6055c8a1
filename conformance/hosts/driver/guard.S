// Structured exception handling for compilers without __try: calls a function and
// comes back whether it returned or raised. x86-64, GNU assembler.
//
//   ULONG CancelsafeGuardedCall(void (*function)(void *), void *context);
//
// 0 if the function returned, else the code of the exception it raised.
        .text
        .globl  CancelsafeGuardedCall
        .def    CancelsafeGuardedCall; .scl 2; .type 32; .endef
        .seh_proc CancelsafeGuardedCall
CancelsafeGuardedCall:
        // All callee-saved registers: the raise comes back from frames that may
        // have changed them, and the unwinder restores only what is recorded.
        pushq   %rbp
        .seh_pushreg %rbp
        pushq   %rbx
        .seh_pushreg %rbx
        pushq   %rsi
        .seh_pushreg %rsi
        pushq   %rdi
        .seh_pushreg %rdi
        pushq   %r12
        .seh_pushreg %r12
        pushq   %r13
        .seh_pushreg %r13
        pushq   %r14
        .seh_pushreg %r14
        pushq   %r15
        .seh_pushreg %r15
        subq    $40, %rsp
        .seh_stackalloc 40
        .seh_endprologue
        movq    %rcx, %rax
        movq    %rdx, %rcx
.Lbegin:
        callq   *%rax
        nop
.Lend:
        xorl    %eax, %eax
.Lleave:
        addq    $40, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rdi
        popq    %rsi
        popq    %rbx
        popq    %rbp
        retq
.Lraised:
        movl    exception_code(%rip), %eax
        jmp     .Lleave
        .seh_handler __C_specific_handler, @except
        .seh_handlerdata
        .long   1
        .rva    .Lbegin, .Lend, CancelsafeTakeEveryException, .Lraised
        .text
        .seh_endproc

// The filter: EXCEPTION_EXECUTE_HANDLER for everything. It keeps the code, since
// not every kernel hands it on in EAX. RCX: EXCEPTION_POINTERS.
        .globl  CancelsafeTakeEveryException
CancelsafeTakeEveryException:
        movq    (%rcx), %rax
        movl    (%rax), %eax
        movl    %eax, exception_code(%rip)
        movl    $1, %eax
        retq

        .bss
exception_code:
        .long   0
