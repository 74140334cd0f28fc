#pragma once

#include <cstdint>

namespace vitrine::test {

/** Number of calls of operator new in this process. Linking allocation_counter.cpp replaces the global operators. */
[[nodiscard]] uint64_t allocationCount();

} // namespace vitrine::test
