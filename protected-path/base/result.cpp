#include "protected-path/base/result.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include "protected-path/base/refusal.h"

namespace vitrine {

std::string errnoName(int number) {
  const char* name = strerrorname_np(number);
  return name != nullptr ? name : std::to_string(number);
}

bool isTransient(const Error& error) {
  constexpr int transient[] = {EBUSY, ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN};
  return error.kind == ErrorKind::System && std::ranges::contains(transient, error.number);
}

static std::string cause(const Error& error) {
  switch (error.kind) {
  case ErrorKind::System:
    return std::format("{} ({})", errnoName(error.number), error.number);
  case ErrorKind::Refused:
    return std::format("{}: {}", refusalName(static_cast<Refusal>(error.number)), error.detail);
  case ErrorKind::Vulkan:
    return error.detail.empty() ? std::format("VkResult {}", error.number)
                                : std::format("{} ({})", error.detail, error.number);
  case ErrorKind::Tee:
    return std::format("{} (0x{:08x})", error.detail.empty() ? "TEE result" : error.detail,
                       static_cast<uint32_t>(error.number));
  case ErrorKind::Invalid:
  case ErrorKind::Missing:
    return error.detail;
  }
  return error.detail;
}

std::string Error::text() const {
  std::string result = operation;
  if (!object.empty()) result += (result.empty() ? "" : " ") + object;
  const std::string why = cause(*this);
  if (!why.empty()) result += ": " + why;
  if (kind == ErrorKind::System && !detail.empty()) result += ": " + detail;
  if (!remedy.empty()) result += "; " + remedy;
  return result;
}

std::unexpected<Error> systemError(std::string_view operation, std::string_view object, int number,
                                   std::string_view remedy) {
  return std::unexpected(Error{ErrorKind::System,
                               number != 0 ? number : errno,
                               std::string(operation),
                               std::string(object),
                               {},
                               std::string(remedy)});
}

std::unexpected<Error> invalid(std::string_view operation, std::string_view object, std::string_view what,
                               std::string_view remedy) {
  return std::unexpected(Error{ErrorKind::Invalid, 0, std::string(operation), std::string(object), std::string(what),
                               std::string(remedy)});
}

std::unexpected<Error> missing(std::string_view operation, std::string_view object, std::string_view what,
                               std::string_view remedy) {
  return std::unexpected(Error{ErrorKind::Missing, 0, std::string(operation), std::string(object), std::string(what),
                               std::string(remedy)});
}

} // namespace vitrine
