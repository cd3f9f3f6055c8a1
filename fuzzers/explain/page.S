// The page, so that an installed tool needs no data files.
        .section .rodata
        .globl cancelsafe_run_page_begin
        .globl cancelsafe_run_page_end
cancelsafe_run_page_begin:
        .incbin CANCELSAFE_RUN_PAGE_FILE
cancelsafe_run_page_end:
        .byte 0
        .section .note.GNU-stack,"",@progbits
