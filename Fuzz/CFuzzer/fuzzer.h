// The entry point of libFuzzer for programs that have a main function of their own. The toolchain has the library, but no header.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));
