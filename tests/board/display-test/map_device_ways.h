#pragma once

#include "tests/board/display-test/read_attempt.h"

namespace vitrine::display_test {

// Ways to read a buffer that lead through a device. Each is one attempt for tryToRead().

[[nodiscard]] ReadAttempt teeDescriptor(const Target& target);
[[nodiscard]] ReadAttempt udmabufOf(const Target& target);
[[nodiscard]] ReadAttempt dumbMap(const Target& target);
[[nodiscard]] ReadAttempt primeExport(const Target& target);
[[nodiscard]] ReadAttempt framebufferHandle(const Target& target);
[[nodiscard]] ReadAttempt foreignFramebufferHandle(const Target& target);
[[nodiscard]] ReadAttempt flinkedName(const Target& target);

} // namespace vitrine::display_test
