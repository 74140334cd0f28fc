#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/board/display-test/protected_buffer.h"

namespace vitrine::display_test {

/** What came of one attempt to read a buffer with the CPU. */
struct ReadAttempt {
  enum class How {
    Refused, ///< the call failed: `number` is its errno
    Faulted, ///< it was mapped, and the access was ended by a signal: `number`
    Read,    ///< `bytes` came out
  };
  How how = How::Refused;
  int number = 0;
  std::string step; ///< the call that refused
  std::vector<std::byte> bytes;

  static ReadAttempt refused(std::string step, int number) { return {How::Refused, number, std::move(step), {}}; }
  static ReadAttempt read(std::vector<std::byte> bytes) { return {How::Read, 0, {}, std::move(bytes)}; }
};

/** A buffer to be read, and whether its content is known. */
struct Target {
  int fd = -1; ///< borrowed
  size_t sizeBytes = 0;
  const Board* board = nullptr;
};

/**
 * Allocates a buffer of the heap under test, has the TEE put the secret into it where that can be done, tries `way` and judges what came:
 * a refusal or a fault is right, and so are bytes of a known buffer without the secret. The rest fails: with a buffer that nothing could
 * fill, any bytes count as its content.
 */
[[nodiscard]] Result<> tryToRead(Trial& trial, ReadAttempt (*way)(const Target& target));

/** Copies mapped memory; a SIGBUS or SIGSEGV on the way is an attempt that faulted. */
[[nodiscard]] ReadAttempt readMemory(const void* address, size_t sizeBytes);

/** mmap() of the whole target with these arguments, and readMemory(). Write-only mappings are read, too: most machines allow it. */
[[nodiscard]] ReadAttempt mapAndRead(int fd, size_t sizeBytes, int protection, int flags, off_t offset = 0);

/** What there is to read in a descriptor at its beginning: a pipe or a file. */
[[nodiscard]] std::vector<std::byte> readAll(int fd, size_t atMost);

/** The errno of a shared mapping of the first page, which is not touched; 0: it can be mapped. */
[[nodiscard]] int mapErrno(int fd, int protection);

} // namespace vitrine::display_test
