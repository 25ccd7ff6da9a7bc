/*
 * Included first in files whose floating-point results decide what is written: no compiler may fuse a
 * product into a sum, so that they are the same bit for bit everywhere. (build.py gives clang the
 * flag that lets it obey.)
 */
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
