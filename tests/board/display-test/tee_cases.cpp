#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <format>
#include <random>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protected-path/tee/frame_decrypt.h"
#include "protected-path/tee/frame_filler.h"
#include "protected-path/tee/tee_uapi.h"
#include "tests/board/clip/clip_crypto.h"
#include "tests/board/display-test/catalogue.h"
#include "tests/board/display-test/protected_buffer.h"
#include "tests/board/display-test/read_attempt.h"

namespace vitrine::display_test {
namespace {

using Kind = TeeParameter::Kind;

constexpr std::string_view sdpBasicTest = "optee_test: host/xtest/sdp_basic.c and ta/sdp_basic/ta_sdp_basic.c";
constexpr std::string_view registerFd =
    "drivers/tee/tee_heap.c: tee_heap_update_from_dma_buf() takes buffers of its own heap only";
constexpr size_t bufferBytes = 17000; // regression_1014's size
constexpr size_t bufferPages = 5 * 4096UL;

/** optee_test's commands: through the application, through a second one, through the pseudo application. */
enum class Route : uint32_t { Direct = 0, Second = 3, Pseudo = 6 };
enum class Step : uint32_t { Inject = 0, Transform = 1, Dump = 2 };
using enum Route;
using enum Step;
constexpr uint32_t commandOf(Route route, Step step) {
  return static_cast<uint32_t>(route) + static_cast<uint32_t>(step);
}

constexpr std::string_view pseudoUuid = "d96a5b40-c3e5-21e3-8794-1002a5d5c61b";

std::vector<std::byte> randomContent(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& one : bytes)
    one = static_cast<std::byte>(random());
  return bytes;
}

/** The raw errno of TEE_IOC_SHM_REGISTER_FD, 0 where it was taken. */
int registerErrno(const TeeDevice& device, int fd, uint32_t flags = 0) {
  TeeShmRegisterFd request{fd, 0, flags, -1};
  const UniqueFd registered(ioctl(device.fd(), teeIocShmRegisterFd, &request));
  return registered ? 0 : errno;
}

/** A TEE with a session of sdp_basic and a registered buffer. */
struct Sdp {
  TeeDevice device;
  TeeSession session;
  ProtectedBuffer buffer;
  TeeMemory target;

  static Result<Sdp> open(const Trial& trial, size_t sizeBytes) {
    auto device = TeeDevice::open(trial.board().tee.node);
    if (!device) return std::unexpected(device.error());
    auto session = TeeSession::open(*device, TeeUuid::parse(sdp_basic::uuid));
    if (!session) return std::unexpected(session.error());
    auto buffer = ProtectedBuffer::allocate(trial.heap(), sizeBytes);
    if (!buffer) return std::unexpected(buffer.error());
    auto target = registerBuffer(*device, buffer->fd());
    if (!target) return std::unexpected(target.error());
    return Sdp{std::move(*device), std::move(*session), std::move(*buffer), std::move(*target)};
  }

  Result<> invoke(uint32_t command, std::span<TeeParameter> parameters) { return session.invoke(command, parameters); }

  Result<> inject(Route route, const TeeMemory& source, const TeeMemory& to, size_t offset, size_t size) {
    std::array parameters = {TeeParameter::memory(Kind::MemoryInput, source, 0, size),
                             TeeParameter::memory(Kind::MemoryOutput, to, offset, size)};
    return invoke(commandOf(route, Inject), parameters);
  }
  Result<> transform(Route route, const TeeMemory& memory, size_t offset, size_t size) {
    std::array parameters = {TeeParameter::memory(Kind::MemoryInOut, memory, offset, size)};
    return invoke(commandOf(route, Transform), parameters);
  }
  Result<> dump(Route route, const TeeMemory& from, size_t offset, const TeeMemory& to, size_t size) {
    std::array parameters = {TeeParameter::memory(Kind::MemoryInput, from, offset, size),
                             TeeParameter::memory(Kind::MemoryOutput, to, 0, size)};
    return invoke(commandOf(route, Dump), parameters);
  }
};

std::string textOf(const Result<>& result) {
  return result ? "succeeded" : result.error().text();
}

bool isTeeError(const Result<>& result, std::initializer_list<uint32_t> codes) {
  return !result && result.error().kind == ErrorKind::Tee &&
         std::ranges::contains(codes, static_cast<uint32_t>(result.error().number));
}

constexpr uint32_t accessDenied = 0xffff0001;
constexpr uint32_t badParameters = 0xffff0006;
constexpr uint32_t shortBuffer = 0xffff0010;

// ---- Registration ----

Result<> registers(Trial& trial) {
  const auto device = TeeDevice::open(trial.board().tee.node);
  if (!device) return std::unexpected(device.error());
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), bufferBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const auto memory = TeeMemory::registerUnproven(*device, buffer->fd());
  const int mapping = mapErrno(buffer->fd(), PROT_NONE);
  if (!memory && memory.error().number == EINVAL && mapping == 0)
    return trial.skip("the TEE takes no buffers of this heap (EINVAL); they can be mapped, so it is right");
  trial.expect(memory.has_value(), "TEE_IOC_SHM_REGISTER_FD", memory ? "succeeded" : memory.error().text());
  if (memory)
    trial.expect(memory->sizeBytes() == bufferPages, "size that the TEE reports", std::to_string(memory->sizeBytes()));
  return {};
}

Result<> registersTwice(Trial& trial) {
  const auto device = TeeDevice::open(trial.board().tee.node);
  const auto other = TeeDevice::open(trial.board().tee.node);
  if (!device || !other) return std::unexpected((device ? other : device).error());
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), bufferBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const auto first = registerBuffer(*device, buffer->fd());
  if (!first) return std::unexpected(first.error());
  trial.expectErrno("register again", registerErrno(*device, buffer->fd()), {0});
  trial.expectErrno("register at a second open of the TEE", registerErrno(*other, buffer->fd()), {0});
  return {};
}

Result<> registerOrdinary(Trial& trial) {
  const auto device = TeeDevice::open(trial.board().tee.node);
  if (!device) return std::unexpected(device.error());
  const UniqueFd ordinary(rawAllocate("/dev/dma_heap/system", bufferBytes));
  if (!ordinary) return systemError("DMA_HEAP_IOCTL_ALLOC", "system", -ordinary.get());
  trial.expectErrno("register a buffer of the system heap", registerErrno(*device, ordinary.get()), {EINVAL});
  return {};
}

Result<> registerOther(Trial& trial) {
  const auto device = TeeDevice::open(trial.board().tee.node);
  if (!device) return std::unexpected(device.error());
  const UniqueFd file(memfd_create("display-test", MFD_CLOEXEC));
  trial.expectErrno("register a memfd", registerErrno(*device, file.get()), {EINVAL});
  trial.expectErrno("register /dev/tee itself", registerErrno(*device, device->fd()), {EINVAL});
  trial.expectErrno("register -1", registerErrno(*device, -1), {EINVAL, EBADF});
  return {};
}

Result<> registerFlags(Trial& trial) {
  const auto device = TeeDevice::open(trial.board().tee.node);
  if (!device) return std::unexpected(device.error());
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), bufferBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const int flagged = registerErrno(*device, buffer->fd(), 1);
  if (const auto without = registerBuffer(*device, buffer->fd()); !without) return std::unexpected(without.error());
  trial.expectErrno("register with flags 1", flagged, {EINVAL});
  return {};
}

// ---- Filling ----

Result<> injects(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  const auto source = shareBytes(sdp->device, randomContent(bufferBytes, 1));
  if (!source) return std::unexpected(source.error());
  for (const size_t offset : {size_t{0}, size_t{1}, size_t{255}}) {
    const auto done = sdp->inject(Direct, *source, sdp->target, offset, bufferBytes - offset);
    trial.expect(done.has_value(), std::format("INJECT at offset {}", offset), textOf(done));
  }
  return {};
}

Result<> largeFrame(Trial& trial) {
  constexpr size_t frameBytes = 1920UL * 1080 * 3 / 2;
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), frameBytes);
  if (!buffer) return trial.skip("the heap has no room for a frame of 1920x1080 NV12: " + buffer.error().text());
  const auto filled = buffer->fill(trial.board(), 0, randomContent(frameBytes, 2));
  if (!filled && filled.error().kind == ErrorKind::Missing) return filled;
  trial.expect(filled.has_value(), "fill a frame of 1920x1080 NV12 in pieces of 1 MiB", textOf(filled));
  return {};
}

Result<> decrypts(Trial& trial) {
  const auto device = TeeDevice::open(trial.board().tee.node);
  if (!device) return std::unexpected(device.error());
  const auto buffer = ProtectedBuffer::allocate(trial.heap(), bufferBytes);
  if (!buffer) return std::unexpected(buffer.error());
  const auto target = registerBuffer(*device, buffer->fd());
  if (!target) return std::unexpected(target.error());
  constexpr FrameFiller::Key key{7, 7, 7, 7};
  // The counter carries into its upper half within the frame.
  constexpr FrameFiller::Counter counter{0, 1, 2, 3, 4, 5, 6, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd};
  auto filler = FrameFiller::open(*device, FrameFiller::Application::FrameDecrypt, key, bufferBytes);
  if (!filler) return std::unexpected(filler.error());
  const auto plain = randomContent(bufferBytes, 3);
  std::vector<std::byte> cipher(plain.size());
  if (auto done = aesCtr(key, counter, plain, cipher); !done) return done;
  const auto filled = filler->fill(*target, cipher, counter);
  trial.expect(filled.has_value(), "decrypt into the buffer", textOf(filled));
  if (!filled || !trial.board().tee.dumps) return {};
  const auto content = buffer->dump(trial.board(), 0, bufferBytes);
  if (!content) return std::unexpected(content.error());
  trial.expect(*content == plain, "content after decryption", *content == plain ? "the plaintext" : "something else");
  return {};
}

/** xtest's loop: inject, transform (each byte becomes ~byte + 1), dump, compare. */
template<Route route>
Result<> roundTrip(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  for (uint32_t round = 0; round < 10; ++round) {
    const size_t offset = (round * 29) % 256;
    const size_t size = bufferBytes - offset;
    const auto plain = randomContent(size, round);
    const auto shared = shareBytes(sdp->device, plain);
    if (!shared) return std::unexpected(shared.error());
    if (auto done = sdp->inject(route, *shared, sdp->target, offset, size);
        !trial.expect(done.has_value(), "INJECT", textOf(done)))
      return {};
    if (auto done = sdp->transform(route, sdp->target, offset, size);
        !trial.expect(done.has_value(), "TRANSFORM", textOf(done)))
      return {};
    if (auto done = sdp->dump(route, sdp->target, offset, *shared, size);
        !trial.expect(done.has_value(), "DUMP", textOf(done)))
      return {};
    const auto got = shared->bytes().first(size);
    const bool equal = std::ranges::equal(got, plain, [](std::byte out, std::byte in) {
      return static_cast<uint8_t>(out) == static_cast<uint8_t>(-static_cast<uint8_t>(in));
    });
    if (!trial.expect(equal, std::format("bytes that come back, offset {}", offset),
                      equal ? "as they should" : "others"))
      return {};
  }
  return {};
}

// ---- What must fail ----

Result<> handsNothingOut(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  const auto clear = shareBytes(sdp->device, std::vector<std::byte>(bufferBytes));
  if (!clear) return std::unexpected(clear.error());
  for (const Route route : {Direct, Second, Pseudo}) {
    const auto done = sdp->dump(route, sdp->target, 0, *clear, bufferBytes);
    trial.expect(!done, std::format("DUMP of protected memory, command {}", commandOf(route, Dump)), textOf(done));
  }
  return {};
}

Result<> ordinaryTarget(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  const auto source = shareBytes(sdp->device, randomContent(4096, 4));
  const auto target = shareBytes(sdp->device, std::vector<std::byte>(4096));
  if (!source || !target) return std::unexpected((source ? target : source).error());
  for (const Route route : {Direct, Second, Pseudo}) {
    const auto done = sdp->inject(route, *source, *target, 0, 4096);
    trial.expect(isTeeError(done, {accessDenied, badParameters}),
                 std::format("INJECT into ordinary memory, command {}", commandOf(route, Inject)), textOf(done));
  }
  const bool untouched = std::ranges::all_of(target->bytes(), [](std::byte one) { return one == std::byte{0}; });
  trial.expect(untouched, "ordinary target afterwards", untouched ? "untouched" : "written");
  return {};
}

Result<> protectedSource(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  const auto second = ProtectedBuffer::allocate(trial.heap(), bufferBytes);
  if (!second) return std::unexpected(second.error());
  const auto other = registerBuffer(sdp->device, second->fd());
  if (!other) return std::unexpected(other.error());
  const auto done = sdp->inject(Direct, sdp->target, *other, 0, 4096);
  trial.expect(isTeeError(done, {accessDenied, badParameters}), "INJECT with a protected source", textOf(done));
  return {};
}

Result<> ordinaryTransform(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  const auto ordinary = shareBytes(sdp->device, randomContent(4096, 5));
  if (!ordinary) return std::unexpected(ordinary.error());
  const auto done = sdp->transform(Direct, *ordinary, 0, 4096);
  trial.expect(isTeeError(done, {accessDenied, badParameters}), "TRANSFORM of ordinary memory", textOf(done));
  return {};
}

Result<> smallTarget(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  const auto source = shareBytes(sdp->device, randomContent(4096, 6));
  if (!source) return std::unexpected(source.error());
  std::array parameters = {TeeParameter::memory(Kind::MemoryInput, *source, 0, 4096),
                           TeeParameter::memory(Kind::MemoryOutput, sdp->target, 0, 4095)};
  const auto done = sdp->invoke(commandOf(Direct, Inject), parameters);
  trial.expect(isTeeError(done, {shortBuffer}), "INJECT of 4096 bytes into 4095", textOf(done));
  return {};
}

Result<> wrongDirection(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  const auto source = shareBytes(sdp->device, randomContent(4096, 7));
  if (!source) return std::unexpected(source.error());
  std::array parameters = {TeeParameter::memory(Kind::MemoryOutput, *source, 0, 4096),
                           TeeParameter::memory(Kind::MemoryInput, sdp->target, 0, 4096)};
  const auto done = sdp->invoke(commandOf(Direct, Inject), parameters);
  trial.expect(isTeeError(done, {badParameters}), "INJECT with input and output exchanged", textOf(done));
  return {};
}

Result<> outOfBounds(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  const auto source = shareBytes(sdp->device, randomContent(4096, 8));
  if (!source) return std::unexpected(source.error());
  const size_t size = sdp->target.sizeBytes();
  const std::pair<size_t, size_t> places[] = {
      {size - 1, 2}, {size - 1, 5000}, {size, 1}, {size, 4096}, {2, ~size_t{0}}};
  for (const auto& [offset, length] : places) {
    std::array parameters = {TeeParameter::memory(Kind::MemoryInput, *source, 0, 1),
                             TeeParameter::memory(Kind::MemoryOutput, sdp->target, offset, length)};
    const auto done = sdp->invoke(commandOf(Direct, Inject), parameters);
    trial.expect(!done, std::format("INJECT at offset {} of {}, {} bytes", offset, size, length), textOf(done));
  }
  return {};
}

Result<> pseudoFromNormalWorld(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  auto pseudo = TeeSession::open(sdp->device, TeeUuid::parse(pseudoUuid));
  if (!pseudo) return trial.skip("the pseudo application does not answer: " + pseudo.error().text());
  const auto source = shareBytes(sdp->device, randomContent(4096, 9));
  if (!source) return std::unexpected(source.error());
  std::array parameters = {TeeParameter::memory(Kind::MemoryInput, *source, 0, 4096),
                           TeeParameter::memory(Kind::MemoryOutput, sdp->target, 0, 4096)};
  constexpr uint32_t pseudoInject = 3; // PTA_INVOKE_TESTS_CMD_COPY_NSEC_TO_SEC
  const auto done = pseudo->invoke(pseudoInject, parameters);
  trial.expect(!done, "the pseudo application, called from the normal world", textOf(done));
  return {};
}

// ---- Life time ----

Result<> outlivesDescriptor(Trial& trial) {
  auto sdp = Sdp::open(trial, bufferBytes);
  if (!sdp) return std::unexpected(sdp.error());
  sdp->buffer.closeFd();
  const auto source = shareBytes(sdp->device, randomContent(4096, 10));
  if (!source) return std::unexpected(source.error());
  const auto done = sdp->inject(Direct, *source, sdp->target, 0, 4096);
  trial.expect(done.has_value(), "INJECT after the buffer's descriptor was closed", textOf(done));
  return {};
}

constexpr uint32_t sdp = NeedHeap | NeedTee | NeedSdpBasic;

constexpr std::array cases = {
    Case{"tee/register", "The TEE takes a buffer of the heap, and knows its size.", registerFd, NeedHeap | NeedTee,
         Undisturbed, 0.1, registers},
    Case{"tee/register-twice", "A buffer can be registered again, and by a second client.",
         "drivers/tee/tee_shm.c: each registration is an object of its own", NeedHeap | NeedTee, Undisturbed, 0.1,
         registersTwice},
    Case{"tee/register-ordinary", "The TEE refuses an ordinary buffer where a protected one is expected.",
         "drivers/tee/tee_heap.c; vendor kernels take any buffer in one piece, which makes registration no evidence",
         NeedTee | NeedOrdinary, Undisturbed, 0.1, registerOrdinary},
    Case{"tee/register-other", "The TEE refuses descriptors that are no dma-buf.", registerFd, NeedTee, Undisturbed,
         0.1, registerOther},
    Case{"tee/register-flags", "Registration with flags, of which there are none, is refused.",
         "linux/tee.h: flags must be 0", NeedHeap | NeedTee, Undisturbed, 0.1, registerFlags},
    Case{"tee/inject", "The secure world copies ordinary bytes into a protected buffer, at any offset.", sdpBasicTest,
         sdp, Undisturbed, 0.2, injects},
    Case{"tee/large-frame", "A whole frame of 1080p video can be filled, in pieces.",
         "OP-TEE maps about 14 MiB an invocation (CFG_PGT_CACHE_ENTRIES)", NeedHeap | NeedTee | NeedFill, Undisturbed,
         1, largeFrame},
    Case{"tee/decrypt", "AES-128-CTR decryption into a protected buffer.",
         "protected-path/tee/frame_decrypt.h; NIST SP 800-38A", NeedHeap | NeedTee | NeedDecrypt, Undisturbed, 0.2,
         decrypts},
    Case{"tee/round-trip", "Inject, transform and dump give the transformed bytes.", sdpBasicTest, sdp | NeedDump,
         Undisturbed, 0.5, roundTrip<Direct>},
    Case{"tee/round-trip-second", "The same through a second trusted application.", sdpBasicTest, sdp | NeedDump,
         Undisturbed, 0.5, roundTrip<Second>},
    Case{"tee/round-trip-pseudo", "The same through a pseudo application in the TEE's core.", sdpBasicTest,
         sdp | NeedDump, Undisturbed, 0.5, roundTrip<Pseudo>},
    Case{"tee/hands-nothing-out", "The secure world hands no protected memory to the normal world.",
         "the point of it; optee_test's application does so, by DUMP, and belongs on no product", sdp, Undisturbed, 0.1,
         handsNothingOut},
    Case{"tee/ordinary-target", "The secure world does not write plaintext into ordinary memory.",
         "ta_sdp_basic.c: TEE_CheckMemoryAccessRights()", sdp, Undisturbed, 0.2, ordinaryTarget},
    Case{"tee/protected-source", "Protected memory is no source where ordinary memory is expected.",
         "ta_sdp_basic.c: TEE_CheckMemoryAccessRights()", sdp, Undisturbed, 0.2, protectedSource},
    Case{"tee/ordinary-transform", "Ordinary memory is refused where protected memory is expected.",
         "ta_sdp_basic.c: TEE_CheckMemoryAccessRights()", sdp, Undisturbed, 0.1, ordinaryTransform},
    Case{"tee/small-target", "A target smaller than the source is refused.", "ta_sdp_basic.c: TEE_ERROR_SHORT_BUFFER",
         sdp, Undisturbed, 0.1, smallTarget},
    Case{"tee/wrong-direction", "Exchanged input and output are refused.", "ta_sdp_basic.c: TEE_ERROR_BAD_PARAMETERS",
         sdp, Undisturbed, 0.1, wrongDirection},
    Case{"tee/out-of-bounds", "References past the end of a buffer are refused before the application runs.",
         "host/xtest/sdp_basic.c: out of bounds tests", sdp, Undisturbed, 0.2, outOfBounds},
    Case{"tee/pseudo-from-normal-world",
         "The pseudo application refuses to be called by the normal world with protected memory.",
         "host/xtest/sdp_basic.c: `NS to pTA` must fail", sdp, Undisturbed, 0.1, pseudoFromNormalWorld},
    Case{"tee/outlives-descriptor", "A registered buffer stays usable after its descriptor was closed.",
         "host/xtest/sdp_basic.c closes it before use", sdp, Undisturbed, 0.1, outlivesDescriptor},
};

} // namespace

std::span<const Case> teeCases() {
  return cases;
}

} // namespace vitrine::display_test
