#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "protected-path/tee/tee_session.h"

namespace vitrine::test {

/**
 * What is in the first `size` bytes of registered protected memory: sdp_basic's DUMP, as the secure world of board
 * `selftest` allows it. Empty where the secure world knows no such command, as anywhere else; any other answer fails the
 * test.
 */
[[nodiscard]] std::optional<std::vector<std::byte>> dumpProtected(const TeeDevice& tee, const TeeMemory& memory,
                                                                  size_t size);

} // namespace vitrine::test
