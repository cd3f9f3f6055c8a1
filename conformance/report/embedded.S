// The catalogue and the page, so that an installed tool needs no data files.
        .section .rodata
        .globl cancelsafe_clauses_begin
        .globl cancelsafe_clauses_end
        .globl cancelsafe_ambiguities_begin
        .globl cancelsafe_ambiguities_end
        .globl cancelsafe_page_begin
        .globl cancelsafe_page_end
cancelsafe_clauses_begin:
        .incbin CANCELSAFE_CLAUSES_FILE
cancelsafe_clauses_end:
        .byte 0
cancelsafe_ambiguities_begin:
        .incbin CANCELSAFE_AMBIGUITIES_FILE
cancelsafe_ambiguities_end:
        .byte 0
cancelsafe_page_begin:
        .incbin CANCELSAFE_PAGE_FILE
cancelsafe_page_end:
        .byte 0
        .section .note.GNU-stack,"",@progbits
