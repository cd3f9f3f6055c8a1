// Where AFL++'s runtime keeps the address of its map, or 0 where it is not linked. Not
// in C++: AFL++'s compiler declares that variable in every file itself, and two
// declarations do not go together.
        .weak __afl_area_ptr
        .section .data.rel.ro,"aw"
        .balign 8
        .globl cancelsafe_afl_area
        .hidden cancelsafe_afl_area
        .type cancelsafe_afl_area, %object
        .size cancelsafe_afl_area, 8
cancelsafe_afl_area:
        .quad __afl_area_ptr
        .section .note.GNU-stack,"",%progbits
