// The catalogue's text, so that an installed tool needs no data file.
        .section .rodata
        .globl cancelsafe_clauses_begin
        .globl cancelsafe_clauses_end
cancelsafe_clauses_begin:
        .incbin CANCELSAFE_CLAUSES_FILE
cancelsafe_clauses_end:
        .byte 0
        .section .note.GNU-stack,"",@progbits
