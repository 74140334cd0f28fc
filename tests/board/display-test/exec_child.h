#pragma once

#include <string>

namespace vitrine::display_test {

/**
 * What a process does that a case started with exec (`--exec-child TASK FD`): `mmap` tries to map the buffer on FD, `fstat` looks whether
 * FD is there. Its exit status is the errno, or 0.
 */
[[nodiscard]] int execChild(const std::string& task, const std::string& fd);

/** Starts this program again with a task, as execve() does; its exit status, or -1 where it did not end by itself. */
[[nodiscard]] int runExecChild(const char* task, int fd);

} // namespace vitrine::display_test
