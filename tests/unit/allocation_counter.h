#pragma once

#include <cstdint>

namespace vitrine::test {

/** Calls of operator new in this process so far. Linking allocation_counter.cpp replaces the global operators. */
[[nodiscard]] uint64_t allocationCount();

} // namespace vitrine::test
