/* What the C library's allocator holds on to. */
#include <stdlib.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <stddef.h>
#include <stdint.h>

#include "../cdef.h"

void tinyjpg_release_memory(void)
{
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}
