#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace vitrine {

/** What kind of number an Error carries. */
enum class ErrorKind {
  System,  ///< `number` is an errno
  Vulkan,  ///< `number` is a VkResult
  Tee,     ///< `number` is a GlobalPlatform TEEC result (uint32_t, stored in an int)
  Invalid, ///< an argument, file or message that is wrong in itself; `number` is 0
  Refused, ///< Vitrine's own rules say no; `number` is a Refusal (base/refusal.h)
  Missing, ///< something that this machine does not have; `number` is 0
};

/**
 * Why an operation failed.
 *
 * `text()` is what is shown: `open /dev/dma_heap/x: EACCES (13); remedy`. It is logged once, where the error is handled.
 */
struct Error {
  ErrorKind kind = ErrorKind::Invalid;
  int number = 0;
  std::string operation; ///< verb, as the field names it: `open`, `DRM_IOCTL_MODE_ATOMIC`, `vkAllocateMemory`
  std::string object;    ///< on what, with its numbers: `/dev/dma_heap/x`, `plane 34`, `1280x720 NV12`
  std::string detail;    ///< symbolic cause in words where the number has none, else empty
  std::string remedy;    ///< what the user can do about it; empty where we do not know

  [[nodiscard]] std::string text() const;
};

template<typename T = void>
using Result = std::expected<T, Error>;

/** An Error from the current `errno`, or from `number` where given (positive). */
[[nodiscard]] std::unexpected<Error> systemError(std::string_view operation, std::string_view object, int number = 0,
                                                 std::string_view remedy = {});

/** An Error for something wrong in itself: `what` says it in words. */
[[nodiscard]] std::unexpected<Error> invalid(std::string_view operation, std::string_view object, std::string_view what,
                                             std::string_view remedy = {});

/** An Error for what this machine lacks. */
[[nodiscard]] std::unexpected<Error> missing(std::string_view operation, std::string_view object, std::string_view what,
                                             std::string_view remedy = {});

/**
 * Whether what failed may work in a moment: memory or files were used up, something was busy, a signal came (EBUSY, ENOMEM, EMFILE,
 * ENFILE, EINTR, EAGAIN). Anything else is an answer to keep.
 */
[[nodiscard]] bool isTransient(const Error& error);

/** The symbol of an errno (`EACCES`), or its number as text where it has none. */
[[nodiscard]] std::string errnoName(int number);

} // namespace vitrine
