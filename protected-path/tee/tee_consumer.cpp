#include "protected-path/tee/tee_consumer.h"

#include <cerrno>
#include <format>

namespace vitrine {

TeeConsumer::TeeConsumer(const TeeDevice& device) : device_(device) {
  facts_.name = std::format("TEE {} (implementation {:#x})", device.node().string(), device.version().implementationId);
  facts_.content = ConsumerFacts::Content::ProtectedOnly;
}

Result<> TeeConsumer::wouldTake(const Dmabuf& buffer) {
  const auto registered = TeeMemory::registerDmabuf(device_, buffer);
  if (registered) return {};
  if (registered.error().kind != ErrorKind::System || registered.error().number != EINVAL)
    return std::unexpected(registered.error());
  auto error = refused(Refusal::BufferRefused, "TEE_IOC_SHM_REGISTER_FD", device_.node().string());
  error.error().detail += ": EINVAL (22)";
  error.error().remedy = registered.error().remedy;
  return error;
}

} // namespace vitrine
