#include "tests/board/display-test/protected_buffer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>

#include <drm_fourcc.h>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>

#include "protected-path/dmabuf/inspector.h"
#include "protected-path/tee/frame_decrypt.h"
#include "protected-path/tee/frame_filler.h"
#include "tests/board/clip/clip_crypto.h"

namespace vitrine::display_test {
namespace {

using Kind = TeeParameter::Kind;

/** OP-TEE maps what one invocation references; at 1 MiB it always has room, and the core is soon back. */
constexpr size_t pieceBytes = 1 << 20;

constexpr uint32_t commandDump = 2;

Result<> inject(TeeSession& session, const TeeMemory& source, const TeeMemory& target, size_t offset, size_t size) {
  std::array parameters = {TeeParameter::memory(Kind::MemoryInput, source, 0, size),
                           TeeParameter::memory(Kind::MemoryOutput, target, offset, size)};
  return session.invoke(sdp_basic::commandInject, parameters);
}

/** Fills through sdp_basic, which takes plain bytes at any offset. */
Result<> injectAll(const TeeDevice& device, const TeeMemory& target, size_t offset, std::span<const std::byte> bytes) {
  auto session = TeeSession::open(device, TeeUuid::parse(sdp_basic::uuid));
  if (!session) return std::unexpected(session.error());
  auto shared = TeeMemory::allocateShared(device, std::min(bytes.size(), pieceBytes));
  if (!shared) return std::unexpected(shared.error());
  for (size_t at = 0; at < bytes.size(); at += pieceBytes) {
    const size_t size = std::min(pieceBytes, bytes.size() - at);
    std::memcpy(shared->bytes().data(), bytes.data() + at, size);
    if (auto done = inject(*session, *shared, target, offset + at, size); !done) return done;
  }
  return {};
}

/** Fills through frame decryption, which takes ciphertext for the buffer's beginning. */
Result<> decryptAll(const TeeDevice& device, const TeeMemory& target, size_t offset, std::span<const std::byte> bytes) {
  if (offset != 0)
    return invalid("fill", std::format("offset {}", offset), "frame decryption fills from the beginning");
  constexpr FrameFiller::Key key{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  constexpr FrameFiller::Counter counter{};
  auto filler = FrameFiller::open(device, FrameFiller::Application::FrameDecrypt, key, bytes.size());
  if (!filler) return std::unexpected(filler.error());
  std::vector<std::byte> cipher(bytes.size());
  if (auto done = aesCtr(key, counter, bytes, cipher); !done) return done;
  return filler->fill(target, cipher, counter);
}

} // namespace

int rawAllocate(const std::filesystem::path& node, uint64_t sizeBytes, uint32_t fdFlags, uint64_t heapFlags,
                uint32_t fd, int openFlags) {
  const UniqueFd heap(open(node.c_str(), openFlags | O_CLOEXEC));
  if (!heap) return -errno;
  dma_heap_allocation_data request{sizeBytes, fd, fdFlags, heapFlags};
  return ioctl(heap.get(), DMA_HEAP_IOCTL_ALLOC, &request) == 0 ? static_cast<int>(request.fd) : -errno;
}

std::vector<std::byte> pattern(const Secret& secret, size_t sizeBytes) {
  std::vector<std::byte> bytes(sizeBytes);
  for (size_t at = 0; at < sizeBytes; ++at)
    bytes[at] = static_cast<std::byte>(secret[at % secret.size()]);
  return bytes;
}

bool holdsSecret(std::span<const std::byte> bytes, const Secret& secret) {
  return memmem(bytes.data(), bytes.size(), secret.data(), secret.size()) != nullptr;
}

Result<TeeMemory> registerBuffer(const TeeDevice& device, int fd) {
  auto memory = TeeMemory::registerUnproven(device, fd);
  const bool unregistered = !memory && memory.error().kind == ErrorKind::System && memory.error().number == EINVAL;
  if (unregistered) return missing("register", "buffer", "the TEE registers no buffers of this heap (EINVAL)");
  return memory;
}

Result<TeeMemory> shareBytes(const TeeDevice& device, std::span<const std::byte> bytes) {
  auto shared = TeeMemory::allocateShared(device, std::max<size_t>(bytes.size(), 1));
  if (shared) std::memcpy(shared->bytes().data(), bytes.data(), bytes.size());
  return shared;
}

Result<ProtectedBuffer> ProtectedBuffer::allocate(const Heap& heap, size_t sizeBytes) {
  UniqueFd fd(rawAllocate(heap.node, sizeBytes));
  if (!fd)
    return systemError("DMA_HEAP_IOCTL_ALLOC", std::format("{} ({} bytes)", heap.node.string(), sizeBytes), -fd.get());
  return ProtectedBuffer(std::move(fd), sizeBytes);
}

Result<ProtectedBuffer> ProtectedBuffer::withSecret(const Trial& trial, size_t sizeBytes) {
  auto buffer = allocate(trial.heap(), sizeBytes);
  if (!buffer) return buffer;
  if (auto filled = buffer->fill(trial.board(), 0, pattern(trial.secret(), sizeBytes)); !filled)
    return std::unexpected(filled.error());
  return buffer;
}

Result<Dmabuf> ProtectedBuffer::asDmabuf(Size size, uint32_t fourcc, const BufferLayout& layout) const {
  DmabufAttributes attributes{
      .size = size, .fourcc = fourcc, .modifier = DRM_FORMAT_MOD_LINEAR, .planeCount = layout.planeCount};
  for (unsigned plane = 0; plane < layout.planeCount; ++plane) {
    auto fd = duplicateFd(fd_.get());
    if (!fd) return std::unexpected(fd.error());
    attributes.planes[plane] = {std::move(*fd), layout.offsetBytes[plane], layout.strideBytes[plane]};
  }
  auto buffer = Dmabuf::create(std::move(attributes));
  if (!buffer) return buffer;
  if (auto inspected = Inspector().inspect(*buffer, false); !inspected) return std::unexpected(inspected.error());
  return buffer;
}

Result<> ProtectedBuffer::fill(const Board& board, size_t offsetBytes, std::span<const std::byte> bytes) const {
  if (!board.tee.sdpBasic && !board.tee.frameDecrypt)
    return missing("fill", "protected buffer", "no trusted application fills it");
  const auto device = TeeDevice::open(board.tee.node);
  if (!device) return std::unexpected(device.error());
  const auto target = registerBuffer(*device, fd_.get());
  if (!target) return std::unexpected(target.error());
  return board.tee.sdpBasic ? injectAll(*device, *target, offsetBytes, bytes)
                            : decryptAll(*device, *target, offsetBytes, bytes);
}

Result<std::vector<std::byte>> ProtectedBuffer::dump(const Board& board, size_t offsetBytes, size_t sizeBytes) const {
  const auto device = TeeDevice::open(board.tee.node);
  if (!device) return std::unexpected(device.error());
  const auto source = registerBuffer(*device, fd_.get());
  if (!source) return std::unexpected(source.error());
  auto session = TeeSession::open(*device, TeeUuid::parse(sdp_basic::uuid));
  if (!session) return std::unexpected(session.error());
  auto readable = TeeMemory::allocateShared(*device, sizeBytes);
  if (!readable) return std::unexpected(readable.error());
  std::array parameters = {TeeParameter::memory(Kind::MemoryInput, *source, offsetBytes, sizeBytes),
                           TeeParameter::memory(Kind::MemoryOutput, *readable, 0, sizeBytes)};
  if (auto done = session->invoke(commandDump, parameters); !done) return std::unexpected(done.error());
  return std::vector(readable->bytes().begin(), readable->bytes().begin() + static_cast<std::ptrdiff_t>(sizeBytes));
}

} // namespace vitrine::display_test
