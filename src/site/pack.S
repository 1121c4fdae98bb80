// The pack of web files as bytes of the program; RIPEN_WEB_PACK is its path.
    .section .rodata
    .global ripen_web_pack_begin
    .global ripen_web_pack_end
    .balign 16
ripen_web_pack_begin:
    .incbin RIPEN_WEB_PACK
ripen_web_pack_end:
    .byte 0
    .section .note.gnu.property, "a"
    .balign 8
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 3, 0
    .section .note.GNU-stack, "", @progbits
