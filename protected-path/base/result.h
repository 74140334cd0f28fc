#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace vitrine {

/** The kind of an Error, which says what its number is. */
enum class ErrorKind {
  System,  ///< `number` is an errno
  Vulkan,  ///< `number` is a VkResult
  Tee,     ///< `number` is a GlobalPlatform TEEC result (uint32_t, stored in an int)
  Invalid, ///< an invalid argument, file or message; `number` is 0
  Refused, ///< refused by Vitrine's own rules; `number` is a Refusal (base/refusal.h)
  Missing, ///< something that this machine does not have; `number` is 0
};

/**
 * Why an operation failed.
 *
 * `text()` is for the user: `open /dev/dma_heap/x: EACCES (13); remedy`. It is logged once, where the error is handled.
 */
struct Error {
  ErrorKind kind = ErrorKind::Invalid;
  int number = 0;
  std::string operation; ///< the call or verb: `open`, `DRM_IOCTL_MODE_ATOMIC`, `vkAllocateMemory`
  std::string object;    ///< its object, with numbers: `/dev/dma_heap/x`, `plane 34`, `1280x720 NV12`
  std::string detail;    ///< the cause as text, if the number has no symbol; else empty
  std::string remedy;    ///< what the user can do about it; empty if not known

  [[nodiscard]] std::string text() const;
};

template<typename T = void>
using Result = std::expected<T, Error>;

/** An Error from the current `errno`, or from `number` where given (positive). */
[[nodiscard]] std::unexpected<Error> systemError(std::string_view operation, std::string_view object, int number = 0,
                                                 std::string_view remedy = {});

/** An Error of kind Invalid. `what`: the cause as text. */
[[nodiscard]] std::unexpected<Error> invalid(std::string_view operation, std::string_view object, std::string_view what,
                                             std::string_view remedy = {});

/** An Error of kind Missing. `what`: what this machine lacks, as text. */
[[nodiscard]] std::unexpected<Error> missing(std::string_view operation, std::string_view object, std::string_view what,
                                             std::string_view remedy = {});

/**
 * Whether the same call may succeed later: memory or file descriptors were exhausted, something was busy, or a signal
 * came (EBUSY, ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN). Any other error is final.
 */
[[nodiscard]] bool isTransient(const Error& error);

/** The symbol of an errno (`EACCES`), or its number as text if it has none. */
[[nodiscard]] std::string errnoName(int number);

} // namespace vitrine
