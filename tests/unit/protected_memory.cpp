#include "tests/unit/protected_memory.h"

#include <gtest/gtest.h>

#include <array>

#include "protected-path/tee/frame_decrypt.h"

namespace vitrine::test {

std::optional<std::vector<std::byte>> dumpProtected(const TeeDevice& tee, const TeeMemory& memory, size_t size) {
  constexpr uint32_t commandDump = 2;
  auto session = TeeSession::open(tee, TeeUuid::parse(sdp_basic::uuid));
  auto readable = TeeMemory::allocateShared(tee, size);
  if (!session || !readable) {
    ADD_FAILURE() << (!session ? session.error().text() : readable.error().text());
    return std::nullopt;
  }
  std::array parameters = {TeeParameter::memory(TeeParameter::Kind::MemoryInput, memory, 0, size),
                           TeeParameter::memory(TeeParameter::Kind::MemoryOutput, *readable, 0, size)};
  if (const auto dumped = session->invoke(commandDump, parameters); !dumped) {
    const bool unknown = dumped.error().kind == ErrorKind::Tee &&
                         teeResultName(static_cast<uint32_t>(dumped.error().number)) == "TEE_ERROR_NOT_SUPPORTED";
    EXPECT_TRUE(unknown) << dumped.error().text();
    return std::nullopt;
  }
  const auto bytes = readable->bytes();
  return std::vector(bytes.begin(), bytes.end());
}

} // namespace vitrine::test
