#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "protected-path/tee/tee_session.h"

namespace vitrine::test {

/**
 * The first `size` bytes of registered protected memory, read by sdp_basic's DUMP. Only the secure world of board
 * `selftest` allows that; empty if it does not. Any other error fails the test.
 */
[[nodiscard]] std::optional<std::vector<std::byte>> dumpProtected(const TeeDevice& tee, const TeeMemory& memory,
                                                                  size_t size);

} // namespace vitrine::test
