#include <gtest/gtest.h>

#include <drm_fourcc.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <openssl/evp.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "protected-path/dmabuf/inspector.h"
#include "protected-path/dmabuf/mapping.h"
#include "protected-path/dmabuf/sync_file.h"
#include "protected-path/heap/heap_allocator.h"
#include "protected-path/tee/frame_decrypt.h"
#include "protected-path/tee/frame_filler.h"
#include "protected-path/tee/tee_uapi.h"
#include "tests/unit/protected_memory.h"
#include "tests/unit/tee_answers.h"

// What the kernel's own protected heap and a TEE answer, read from the kernel: for the virtual platform's boards, or a
// real one with both.

namespace vitrine {
namespace {

/** What differs from kernel to kernel; a board has one of them. */
struct Kernel {
  const char* heap;
  const char* exporter;
  int mmapErrno;
  int syncErrno; ///< of DMA_BUF_IOCTL_SYNC, 0 where it succeeds
  int exhaustedErrno;
};
constexpr Kernel kernels[] = {
    {"protected,secure-video", "tee", EINVAL, 0, ENOMEM}, // mainline: not the heap's name, and no mmap to say no
    {"restricted_mtk_cma", "restricted_mtk_cma", EPERM, EPERM, ENOMEM},
    {"vframe-secure", "vframe-secure", EACCES, 0, ENOMEM},
    {"protected", "protected", EPERM, EPERM, ENOSPC}, // NVIDIA Tegra's video protection region
};

constexpr BufferRequest video{{320, 180}, DRM_FORMAT_NV12, DRM_FORMAT_MOD_LINEAR, true, 64};
constexpr BufferRequest picture{{64, 64}, DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR, false, 64};
constexpr FrameFiller::Key key{0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe,
                               0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81};
// The low 64 bits are about to overflow: a counter that is no 128-bit number shows here.
constexpr FrameFiller::Counter counter{0, 1, 2, 3, 4, 5, 6, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd};

class ProtectedHeap : public testing::Test {
protected:
  void SetUp() override {
    heaps_ = listHeaps(table_);
    const auto isHere = [this](const Kernel& kernel) {
      return std::ranges::contains(heaps_, kernel.heap, &Heap::name);
    };
    const auto found = std::ranges::find_if(kernels, isHere);
    if (found == std::end(kernels)) GTEST_SKIP() << "no heap that is known here";
    kernel_ = *found;
    auto device = TeeDevice::open();
    ASSERT_TRUE(device) << device.error().text();
    tee_.emplace(std::move(*device));
  }

  const Heap& heap() const { return *std::ranges::find(heaps_, kernel_.heap, &Heap::name); }

  Dmabuf allocate(const BufferRequest& request) {
    auto buffer = allocateBuffer(request, heaps_, table_);
    EXPECT_TRUE(buffer) << buffer.error().text();
    return std::move(buffer->buffer);
  }

  /** What a buffer of this kernel's protected heap is worth. */
  Evidence proof() const {
    return std::string_view(kernel_.exporter) == "tee" ? Evidence::KernelProtected : Evidence::Unmappable;
  }

  Kernel kernel_{};
  HeapTable table_;
  std::vector<Heap> heaps_;
  std::optional<TeeDevice> tee_;
};

int errnoOfMmap(int fd, int protection) {
  void* address = mmap(nullptr, 4096, protection, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return errno;
  munmap(address, 4096);
  return 0;
}

TEST_F(ProtectedHeap, GivesProofAndTheRightLayout) {
  auto buffer = allocateBuffer(video, heaps_, table_);
  ASSERT_TRUE(buffer) << buffer.error().text();
  EXPECT_EQ(buffer->heapName, kernel_.heap);
  EXPECT_EQ(buffer->buffer.evidence(), proof());
  EXPECT_TRUE(buffer->buffer.noMap());
  EXPECT_EQ(buffer->buffer.planeCount(), 2U);
  EXPECT_EQ(buffer->buffer.sizeBytes(), layoutFor(video)->sizeBytes);
  const auto identity = Inspector::identify(buffer->buffer.plane(1).fd.get());
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->exporterName, kernel_.exporter);
  EXPECT_EQ(identity->sizeBytes, buffer->buffer.sizeBytes());
}

TEST_F(ProtectedHeap, TheKernelRefusesEveryMapping) {
  const Dmabuf buffer = allocate(video);
  const int fd = buffer.plane(0).fd.get();
  for (const int protection : {PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE}) {
    EXPECT_EQ(errnoOfMmap(fd, protection), kernel_.mmapErrno) << protection;
  }
  char byte = 0;
  EXPECT_EQ(read(fd, &byte, 1), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(refusalOf(Mapping::map(buffer, 0, Mapping::Access::Read).error(), Refusal::None), Refusal::NoMap);
}

TEST_F(ProtectedHeap, SyncSaysNothingOfProtection) {
  const Dmabuf buffer = allocate(video);
  for (const uint64_t flags : {DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ}) {
    dma_buf_sync sync{flags};
    errno = 0;
    EXPECT_EQ(ioctl(buffer.plane(0).fd.get(), DMA_BUF_IOCTL_SYNC, &sync), kernel_.syncErrno == 0 ? 0 : -1);
    EXPECT_EQ(errno, kernel_.syncErrno);
  }
}

TEST_F(ProtectedHeap, EvidenceIsGraded) {
  struct Case {
    const char* what;
    const BufferRequest& request;
    bool claimed;
    Evidence expected;
  };
  const Case cases[] = {
      {"protected", video, false, proof()},
      {"protected and claimed", video, true, proof()},
      {"ordinary", picture, false, Evidence::None},
      {"ordinary, claimed", picture, true, Evidence::Claimed},
  };
  for (const Case& one : cases) {
    Dmabuf fresh = allocate(one.request);
    // The allocator has graded its own; a compositor gets the bare fd.
    DmabufAttributes attributes{fresh.size(), fresh.fourcc(), fresh.modifier(), fresh.planeCount(), {}};
    for (unsigned i = 0; i < fresh.planeCount(); ++i) {
      attributes.planes[i] = {std::move(*duplicateFd(fresh.plane(i).fd.get())), fresh.plane(i).offsetBytes,
                              fresh.plane(i).strideBytes};
    }
    auto received = Dmabuf::create(std::move(attributes));
    ASSERT_TRUE(received) << received.error().text();
    ASSERT_EQ(received->evidence(), Evidence::None);
    const auto result = inspectorFor(table_).inspect(*received, one.claimed);
    ASSERT_TRUE(result) << result.error().text();
    EXPECT_EQ(received->evidence(), one.expected) << one.what << ": " << evidenceName(received->evidence());
  }
}

TEST_F(ProtectedHeap, AnUnknownExportersRefusalIsEvidence) {
  const Inspector ignorant;
  EXPECT_EQ(*ignorant.evidenceFor(allocate(video).plane(0).fd.get()), proof());
  EXPECT_EQ(*ignorant.evidenceFor(allocate(picture).plane(0).fd.get()), Evidence::None);
}

TEST_F(ProtectedHeap, ANameSetByAClientIsNoEvidence) {
  const Dmabuf ordinary = allocate(picture);
  const Dmabuf secret = allocate(video);
  ASSERT_EQ(ioctl(ordinary.plane(0).fd.get(), DMA_BUF_SET_NAME_B, "x\nexp_name:\ttee\n"), 0);
  ASSERT_EQ(ioctl(secret.plane(0).fd.get(), DMA_BUF_SET_NAME_B, "x\nexp_name:\tsystem\n"), 0);
  EXPECT_EQ(Inspector::identify(ordinary.plane(0).fd.get())->exporterName, "system");
  EXPECT_EQ(Inspector::identify(secret.plane(0).fd.get())->exporterName, kernel_.exporter);
}

TEST_F(ProtectedHeap, TheTeeKnowsItsOwn) {
  EXPECT_EQ(teeAccepts(&*tee_, allocate(video).plane(0).fd.get()), std::optional(true));
  const Dmabuf ordinary = allocate(picture);
  EXPECT_EQ(teeAccepts(&*tee_, ordinary.plane(0).fd.get()), std::optional(false));
  EXPECT_EQ(teeAccepts(&*tee_, -1), std::optional(false));
  const auto memory = TeeMemory::registerUnproven(*tee_, ordinary.plane(0).fd.get());
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().kind, ErrorKind::System);
  EXPECT_EQ(memory.error().number, EINVAL);
}

TEST_F(ProtectedHeap, NothingIsFilledWithoutProof) {
  const Dmabuf ordinary = allocate(picture);
  const auto refusal = TeeMemory::registerDmabuf(*tee_, ordinary);
  ASSERT_FALSE(refusal);
  EXPECT_EQ(refusal.error().text(),
            "TEE_IOC_SHM_REGISTER_FD 64x64 XRGB8888 LINEAR, None: NotProven: nothing proves that "
            "the CPU cannot read the buffer");
}

/** Vendors' kernels register any buffer in one piece (profiles legacy-* and tegra-vpr). */
TEST_F(ProtectedHeap, ThatATeeTakesABufferIsNoEvidence) {
  const auto plain = std::ranges::find(heaps_, std::string_view("default_cma_region"), &Heap::name);
  if (plain == heaps_.end()) return;
  const auto buffer = allocateBuffer(picture, std::span(&*plain, 1), table_);
  ASSERT_TRUE(buffer) << buffer.error().text();
  const int fd = buffer->buffer.plane(0).fd.get();
  EXPECT_EQ(teeAccepts(&*tee_, fd), std::optional(true));
  EXPECT_EQ(*inspectorFor(table_).evidenceFor(fd), Evidence::None);
}

TEST_F(ProtectedHeap, OrdinaryBuffersMap) {
  const Dmabuf buffer = allocate(picture);
  EXPECT_FALSE(buffer.noMap());
  {
    const auto mapping = Mapping::map(buffer, 0, Mapping::Access::Write);
    ASSERT_TRUE(mapping) << mapping.error().text();
    std::memcpy(mapping->bytes().data(), "glass", 5);
  }
  const auto mapping = Mapping::map(buffer, 0, Mapping::Access::Read);
  ASSERT_TRUE(mapping) << mapping.error().text();
  EXPECT_EQ(std::memcmp(mapping->bytes().data(), "glass", 5), 0);
}

TEST_F(ProtectedHeap, SyncFilesOfAProtectedBuffer) {
  const Dmabuf buffer = allocate(video);
  const int fd = buffer.plane(0).fd.get();
  auto readers = exportSyncFile(fd, FenceUse::Read);
  auto writers = exportSyncFile(fd, FenceUse::Write);
  ASSERT_TRUE(readers) << readers.error().text();
  ASSERT_TRUE(writers) << writers.error().text();
  auto both = mergeSyncFiles(readers->get(), writers->get());
  ASSERT_TRUE(both) << both.error().text();
  EXPECT_EQ(*syncFileSignalled(both->get()), true); // nobody uses it
  const auto imported = importSyncFile(fd, both->get(), FenceUse::Write);
  EXPECT_TRUE(imported) << imported.error().text();
}

TEST_F(ProtectedHeap, AnExhaustedPoolIsARefusal) {
  constexpr BufferRequest large{{1920, 1080}, DRM_FORMAT_XRGB8888, DRM_FORMAT_MOD_LINEAR, true, 64};
  std::vector<Dmabuf> held;
  for (;;) {
    auto buffer = allocateBuffer(large, heaps_, table_);
    if (buffer) {
      ASSERT_LT(held.size(), 100000U);
      held.push_back(std::move(buffer->buffer));
      continue;
    }
    EXPECT_EQ(refusalOf(buffer.error(), Refusal::None), Refusal::HeapExhausted);
    const std::string words =
        std::format("DMA_HEAP_IOCTL_ALLOC /dev/dma_heap/{} (8294400 bytes): "
                    "HeapExhausted: the heap has no room left: {} ({}); use fewer or smaller buffers",
                    kernel_.heap, kernel_.exhaustedErrno == ENOSPC ? "ENOSPC" : "ENOMEM", kernel_.exhaustedErrno);
    EXPECT_TRUE(buffer.error().text().starts_with(words)) << buffer.error().text();
    break;
  }
  const size_t fitted = held.size();
  held.clear();
  auto again = allocateBuffer(large, heaps_, table_);
  EXPECT_EQ(again.has_value(), fitted > 0) << "the pool got nothing back";
}

TEST_F(ProtectedHeap, RequestsThatNoHeapTakes) {
  const auto nothing = allocateFromHeap(heap(), 0);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(refusalOf(nothing.error(), Refusal::None), Refusal::HeapRequestInvalid) << nothing.error().text();
  const auto tooMuch = allocateFromHeap(heap(), 1ULL << 40);
  ASSERT_FALSE(tooMuch);
  EXPECT_EQ(refusalOf(tooMuch.error(), Refusal::None), Refusal::HeapExhausted) << tooMuch.error().text();
}

/** Runs `body` in a child without any privilege; true where it returned true. */
template<typename Body>
bool asNobody(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    const bool dropped = setgid(65534) == 0 && setuid(65534) == 0;
    _exit(dropped && body() ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(ProtectedHeap, WithoutPermissionTheMessageNamesNodeErrnoAndRule) {
  if (getuid() != 0) GTEST_SKIP() << "only root can become somebody without permission";
  EXPECT_TRUE(asNobody([&] {
    const auto heaps = listHeaps(table_);
    const auto found = std::ranges::find(heaps, kernel_.heap, &Heap::name);
    if (found == heaps.end() || found->refusal != Refusal::HeapNoPermission || found->openErrno != EACCES) return false;
    const HeapChoice choice = chooseHeap(video, heaps);
    if (choice.refusal != Refusal::HeapNoPermission) return false;
    // Chosen while it could be opened: the refusal comes from the allocation itself.
    for (const auto& result : {allocateBuffer(video, heaps, table_), allocateBuffer(video, heaps_, table_)}) {
      const std::string text = result ? "" : result.error().text();
      fprintf(stderr, "%s\n", text.c_str());
      const bool right = !result && refusalOf(result.error(), Refusal::None) == Refusal::HeapNoPermission &&
                         text.contains(std::format("/dev/dma_heap/{}:", kernel_.heap)) &&
                         text.contains("EACCES (13)") && text.contains("configs/60-vitrine-heaps.rules");
      if (!right) return false;
    }
    return true;
  }));
}

// ---- Filling ----

std::vector<std::byte> randomBytes(size_t size) {
  std::mt19937 random(static_cast<uint32_t>(size));
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes)
    byte = static_cast<std::byte>(random());
  return bytes;
}

std::vector<std::byte> encrypt(std::span<const std::byte> plain) {
  std::vector<std::byte> cipher(plain.size());
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int written = 0;
  EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), nullptr, key.data(), counter.data());
  EVP_EncryptUpdate(context, reinterpret_cast<unsigned char*>(cipher.data()), &written,
                    reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(plain.size()));
  EVP_CIPHER_CTX_free(context);
  return cipher;
}

uint32_t teeResultOf(const Result<>& result) {
  return !result && result.error().kind == ErrorKind::Tee ? static_cast<uint32_t>(result.error().number) : 0;
}

/**
 * Expects `plain` at the start of `target`. What is in it only the secure world can say, and only where its test
 * commands are allowed (profile selftest); elsewhere nobody may look.
 */
void expectContent(const TeeDevice& tee, const TeeMemory& target, std::span<const std::byte> plain) {
  const auto dumped = test::dumpProtected(tee, target, plain.size());
  if (dumped) {
    EXPECT_TRUE(std::ranges::equal(*dumped, plain));
  }
}

/** Whether this machine's TEE has it; a real one may have one of the two alone. */
bool has(const TeeDevice& tee, std::string_view uuid) {
  return TeeSession::open(tee, TeeUuid::parse(uuid)).has_value();
}

TEST_F(ProtectedHeap, EitherApplicationFillsIt) {
  const size_t frameBytes = layoutFor(video)->sizeBytes;
  if (!has(*tee_, frame_decrypt::uuid) || !has(*tee_, sdp_basic::uuid)) GTEST_SKIP() << "this TEE lacks one of the two";
  for (const auto application : {FrameFiller::Application::FrameDecrypt, FrameFiller::Application::SdpBasic}) {
    auto filler = FrameFiller::open(*tee_, application, key, frameBytes);
    ASSERT_TRUE(filler) << filler.error().text();
    EXPECT_EQ(filler->application(), application);
    const Dmabuf buffer = allocate(video);
    const auto target = TeeMemory::registerDmabuf(*tee_, buffer);
    ASSERT_TRUE(target) << target.error().text();
    EXPECT_EQ(target->sizeBytes(), buffer.sizeBytes());
    EXPECT_TRUE(target->bytes().empty());

    for (const size_t size : {frameBytes, frameBytes - 101, size_t{1}}) {
      const auto plain = randomBytes(size);
      const auto filled = filler->fill(*target, encrypt(plain), counter);
      ASSERT_TRUE(filled) << filled.error().text();
      expectContent(*tee_, *target, plain);
    }
  }
}

TEST_F(ProtectedHeap, FramesOfManyPiecesAreFilledWhole) {
  constexpr size_t size = 2 * FrameFiller::pieceBytes + 12345;
  for (const auto application : {FrameFiller::Application::FrameDecrypt, FrameFiller::Application::SdpBasic}) {
    auto filler = FrameFiller::open(*tee_, application, key, size);
    if (!filler) continue; // a real TEE may have one of the two alone
    auto fd = allocateFromHeap(heap(), size);
    ASSERT_TRUE(fd) << fd.error().text();
    const auto target = TeeMemory::registerUnproven(*tee_, fd->get());
    ASSERT_TRUE(target) << target.error().text();
    const auto plain = randomBytes(size);
    const auto filled = filler->fill(*target, encrypt(plain), counter);
    ASSERT_TRUE(filled) << filled.error().text();
    expectContent(*tee_, *target, plain);
  }
}

TEST_F(ProtectedHeap, AnApplicationThatDiedGetsOneNewSession) {
  constexpr uint32_t targetDead = 0xffff3024;
  auto filler = FrameFiller::open(*tee_, key, 4096);
  ASSERT_TRUE(filler) << filler.error().text();
  auto fd = allocateFromHeap(heap(), 4096);
  ASSERT_TRUE(fd);
  const auto target = TeeMemory::registerUnproven(*tee_, fd->get());
  ASSERT_TRUE(target);
  const auto plain = randomBytes(4096);
  test::invokeAnswers = {targetDead};
  const auto filled = filler->fill(*target, encrypt(plain), counter);
  ASSERT_TRUE(filled) << filled.error().text();
  expectContent(*tee_, *target, plain);

  constexpr uint32_t busy = 0xffff000d;
  test::invokeAnswers = {busy};
  EXPECT_EQ(teeResultName(teeResultOf(filler->fill(*target, encrypt(plain), counter))), "TEE_ERROR_BUSY")
      << "not tried again";
  EXPECT_TRUE(filler->fill(*target, encrypt(plain), counter));
}

// ---- An application that goes wrong, of the platform's secure world alone ----

constexpr std::string_view badApplication = "8e2d6c1f-0b5a-4b7e-9f3c-5d61e07a420d";
constexpr uint32_t commandPanic = 0;
constexpr uint32_t commandHang = 1;

TEST_F(ProtectedHeap, APanickedApplicationIsDeadInThisSessionAlone) {
  if (tee_->version().implementationId != teeImplementationVitrine) GTEST_SKIP() << "not the platform's secure world";
  auto session = TeeSession::open(*tee_, TeeUuid::parse(badApplication));
  auto other = TeeSession::open(*tee_, TeeUuid::parse(sdp_basic::uuid));
  ASSERT_TRUE(session && other);
  for (const uint32_t command : {commandPanic, 77U}) {
    const auto result = session->invoke(command, {});
    EXPECT_TRUE(!result && result.error().text().contains("TEE_ERROR_TARGET_DEAD from the TEE (0xffff3024)"));
  }
  EXPECT_EQ(teeResultName(teeResultOf(other->invoke(99, {}))), "TEE_ERROR_BAD_PARAMETERS");
  auto again = TeeSession::open(*tee_, TeeUuid::parse(badApplication));
  ASSERT_TRUE(again);
  EXPECT_EQ(teeResultName(teeResultOf(again->invoke(77, {}))), "TEE_ERROR_BAD_PARAMETERS");
}

TEST_F(ProtectedHeap, AnApplicationThatNeverAnswersHoldsUpNobody) {
  if (tee_->version().implementationId != teeImplementationVitrine) GTEST_SKIP() << "not the platform's secure world";
  const UniqueFd stop(eventfd(1, EFD_CLOEXEC)); // as if the signal had come already
  {
    auto session = TeeSession::open(*tee_, TeeUuid::parse(badApplication));
    ASSERT_TRUE(session) << session.error().text();
  }
  auto session = TeeSession::open(*tee_, TeeUuid::parse(badApplication), {.stopFd = stop.get()});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().number, ECANCELED) << session.error().text();

  const UniqueFd later(eventfd(0, EFD_CLOEXEC));
  session = TeeSession::open(*tee_, TeeUuid::parse(badApplication), {.stopFd = later.get()});
  ASSERT_TRUE(session) << session.error().text();
  std::jthread stops([&] { // once the secure world has the call; a session that closes comes after it
    auto second = TeeSession::open(*tee_, TeeUuid::parse(sdp_basic::uuid));
    EXPECT_TRUE(second) << second.error().text();
    EXPECT_EQ(eventfd_write(later.get(), 1), 0);
  });
  const auto hung = session->invoke(commandHang, {});
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().number, ECANCELED) << hung.error().text();
  const auto gone = session->invoke(77, {});
  EXPECT_TRUE(!gone && gone.error().number == EPIPE);
  // One of the TEE's threads is lost to it. The other one works.
  EXPECT_TRUE(TeeSession::open(*tee_, TeeUuid::parse(sdp_basic::uuid)));
}

TEST_F(ProtectedHeap, SizesComeBackWithARefusal) {
  if (!has(*tee_, frame_decrypt::uuid)) GTEST_SKIP() << "this TEE has no frame decryption";
  auto session = TeeSession::open(*tee_, TeeUuid::parse(frame_decrypt::uuid));
  ASSERT_TRUE(session);
  const auto shared = TeeMemory::allocateShared(*tee_, 65536);
  auto fd = allocateFromHeap(heap(), 4096);
  ASSERT_TRUE(shared && fd);
  const auto target = TeeMemory::registerUnproven(*tee_, fd->get());
  ASSERT_TRUE(target);
  std::array parameters = {TeeParameter::memory(TeeParameter::Kind::MemoryInput, *shared, 0, 8192),
                           TeeParameter::memory(TeeParameter::Kind::MemoryOutput, *target, 0, 4096),
                           TeeParameter::memory(TeeParameter::Kind::MemoryInput, *shared, 8192, 16)};
  EXPECT_EQ(teeResultName(teeResultOf(session->invoke(frame_decrypt::commandDecrypt, parameters))),
            "TEE_ERROR_SHORT_BUFFER");
  EXPECT_EQ(parameters[1].b, 8192U) << "the size that is needed";
}

TEST_F(ProtectedHeap, DecryptionIsPreferred) {
  if (!has(*tee_, frame_decrypt::uuid)) GTEST_SKIP() << "this TEE has no frame decryption";
  const auto filler = FrameFiller::open(*tee_, key, 4096);
  ASSERT_TRUE(filler) << filler.error().text();
  EXPECT_EQ(filler->application(), FrameFiller::Application::FrameDecrypt);
}

TEST_F(ProtectedHeap, InjectionIsTakenWhereThereIsNoDecryptionAndNeverWhereThatFailed) {
  constexpr uint32_t itemNotFound = 0xffff0008;
  constexpr uint32_t busy = 0xffff000d;
  test::openAnswers = {itemNotFound};
  const auto injects = FrameFiller::open(*tee_, key, 4096);
  ASSERT_TRUE(injects) << injects.error().text();
  EXPECT_EQ(injects->application(), FrameFiller::Application::SdpBasic);

  test::openAnswers = {busy};
  const auto failed = FrameFiller::open(*tee_, key, 4096);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::Tee);
  EXPECT_NE(failed.error().text().find("TEE_ERROR_BUSY"), std::string::npos) << failed.error().text();

  test::openAnswers = {itemNotFound, itemNotFound};
  const auto neither = FrameFiller::open(*tee_, key, 4096);
  ASSERT_FALSE(neither);
  EXPECT_EQ(neither.error().kind, ErrorKind::Missing);
  EXPECT_NE(neither.error().text().find("neither"), std::string::npos) << neither.error().text();
}

TEST_F(ProtectedHeap, LargeFramesFitTheSharedBuffer) {
  constexpr size_t frame4k = 3840UL * 2160 * 3 / 2;
  auto filler = FrameFiller::open(*tee_, key, frame4k);
  ASSERT_TRUE(filler) << filler.error().text();
  auto fd = allocateFromHeap(heap(), frame4k);
  if (!fd && refusalOf(fd.error(), Refusal::None) == Refusal::HeapExhausted)
    GTEST_SKIP() << "a pool smaller than a frame";
  ASSERT_TRUE(fd) << fd.error().text();
  const auto target = TeeMemory::registerUnproven(*tee_, fd->get());
  ASSERT_TRUE(target) << target.error().text();
  fd->reset(); // the TEE keeps its own reference
  const std::vector<std::byte> frame(frame4k);
  const auto filled = filler->fill(*target, frame, counter);
  EXPECT_TRUE(filled) << filled.error().text();
}

TEST_F(ProtectedHeap, FramesThatDoNotFit) {
  auto filler = FrameFiller::open(*tee_, key, 65536);
  ASSERT_TRUE(filler) << filler.error().text();
  auto fd = allocateFromHeap(heap(), 4096);
  ASSERT_TRUE(fd);
  const auto target = TeeMemory::registerUnproven(*tee_, fd->get());
  ASSERT_TRUE(target);
  EXPECT_TRUE(filler->fill(*target, randomBytes(4096), counter));
  EXPECT_EQ(teeResultName(teeResultOf(filler->fill(*target, randomBytes(4097), counter))), "TEE_ERROR_SHORT_BUFFER");
  EXPECT_EQ(filler->fill(*target, randomBytes(65537), counter).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(filler->fill(*target, {}, counter).error().kind, ErrorKind::Invalid);
}

TEST_F(ProtectedHeap, NothingButProtectedMemoryIsATarget) {
  auto filler = FrameFiller::open(*tee_, key, 4096);
  ASSERT_TRUE(filler) << filler.error().text();
  const auto ordinary = TeeMemory::allocateShared(*tee_, 4096);
  ASSERT_TRUE(ordinary);
  const auto result = filler->fill(*ordinary, randomBytes(4096), counter);
  EXPECT_EQ(teeResultName(teeResultOf(result)), "TEE_ERROR_ACCESS_DENIED");
  EXPECT_TRUE(result.error().text().contains("TEE_ERROR_ACCESS_DENIED from the trusted application (0xffff0001)"))
      << result.error().text();
}

TEST_F(ProtectedHeap, AnApplicationThatIsNotThere) {
  const auto session = TeeSession::open(*tee_, TeeUuid::parse("00000000-0000-0000-0000-000000000001"));
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::Tee);
  EXPECT_TRUE(session.error().text().contains("TEE_ERROR_ITEM_NOT_FOUND from the TEE (0xffff0008)"))
      << session.error().text();
}

} // namespace
} // namespace vitrine
