#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protected-path/base/unique_fd.h"
#include "protected-path/dmabuf/dmabuf.h"
#include "protected-path/tee/tee_worker.h"

namespace vitrine {

/** A trusted application's UUID, in the byte order of the TEE UAPI (big endian fields, RFC 4122). */
struct TeeUuid {
  std::array<uint8_t, 16> bytes{};
  /** From `12345678-5b69-11e4-9dbb-101f74f00099`; asserts on malformed text (constants only). */
  static TeeUuid parse(std::string_view text);
};

/** Open TEE device (linux/tee.h). */
class TeeDevice {
public:
  struct Version {
    uint32_t implementationId = 0;
    uint32_t implementationCapabilities = 0;
    uint32_t genericCapabilities = 0;
  };

  /** Opens `node`; empty: the first of list(). Missing where there is none. */
  [[nodiscard]] static Result<TeeDevice> open(const std::filesystem::path& node = {});
  /**
   * All of `directory`/tee0 to tee9 that answer TEE_IOC_VERSION, those first that can have a protected heap and
   * applications for it (OP-TEE). Empty where there is none; `failure`, if given, says why the first did not open.
   */
  [[nodiscard]] static std::vector<TeeDevice> list(const std::filesystem::path& directory = "/dev",
                                                   std::optional<Error>* failure = nullptr);

  [[nodiscard]] const Version& version() const { return version_; }
  [[nodiscard]] const std::filesystem::path& node() const { return node_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

private:
  TeeDevice(UniqueFd fd, std::filesystem::path node, Version version);
  UniqueFd fd_;
  std::filesystem::path node_;
  Version version_;
};

/**
 * Memory that the TEE knows: ordinary shared memory, mapped here, or a registered protected dma-buf, never mapped.
 * Freed with its last owner; the TEE keeps its own reference to a registered dma-buf.
 */
class TeeMemory {
public:
  /**
   * Ordinary shared memory, mapped read-write: our own pages where the TEE takes such (TEE_IOC_SHM_REGISTER; OP-TEE
   * takes 32 MiB), else its own (TEE_IOC_SHM_ALLOC). Invalid for more than 4 MiB of the latter: the kernel would answer
   * with a warning in its log.
   */
  [[nodiscard]] static Result<TeeMemory> allocateShared(const TeeDevice& device, size_t sizeBytes);
  /**
   * A dma-buf that is to be filled (TEE_IOC_SHM_REGISTER_FD). Refused(NotProven) where its evidence is no proof that it is
   * protected, before the TEE is asked: vendors' kernels register any contiguous buffer. EINVAL where the TEE does not take
   * it.
   */
  [[nodiscard]] static Result<TeeMemory> registerDmabuf(const TeeDevice& device, const Dmabuf& buffer);
  /** The same for an fd (borrowed) of which nothing is known: for questions about the TEE, never for filling. */
  [[nodiscard]] static Result<TeeMemory> registerUnproven(const TeeDevice& device, int fd);

  TeeMemory(TeeMemory&& other) noexcept;
  TeeMemory& operator=(TeeMemory&& other) noexcept;
  ~TeeMemory();

  [[nodiscard]] int id() const { return id_; }
  [[nodiscard]] size_t sizeBytes() const { return sizeBytes_; }
  /** Empty for a registered dma-buf. */
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

private:
  TeeMemory() = default;
  Result<> mapBytes(int fd, int flags, size_t sizeBytes, const std::string& object);
  UniqueFd fd_;
  int id_ = -1;
  size_t sizeBytes_ = 0;
  std::span<std::byte> bytes_;
};

/** One parameter of an invocation (struct tee_ioctl_param). */
struct TeeParameter {
  enum class Kind { None, ValueInput, ValueOutput, ValueInOut, MemoryInput, MemoryOutput, MemoryInOut };
  Kind kind = Kind::None;
  uint64_t a = 0; ///< value a, or offset in bytes
  uint64_t b = 0; ///< value b, or size in bytes
  uint64_t c = 0; ///< value c, or the TeeMemory's id

  static TeeParameter value(uint64_t a, uint64_t b = 0) { return {Kind::ValueInput, a, b, 0}; }
  static TeeParameter memory(Kind kind, const TeeMemory& memory, size_t offsetBytes, size_t sizeBytes) {
    return {kind, offsetBytes, sizeBytes, static_cast<uint64_t>(memory.id())};
  }
};

/**
 * A session with one trusted application, in a process of its own (TeeWorker), so that neither a TEE without
 * tee-supplicant, nor an application that never answers can hold up the caller.
 */
class TeeSession {
public:
  /**
   * TEE_IOC_OPEN_SESSION. ErrorKind::Tee with the GlobalPlatform result where the TEE says no; System ETIMEDOUT where it
   * does not answer in time (see isUnanswered()), ECANCELED where `patience.stopFd` ended the wait.
   */
  [[nodiscard]] static Result<TeeSession> open(const TeeDevice& device, const TeeUuid& application,
                                               const TeePatience& patience = {});

  /**
   * TEE_IOC_INVOKE. At most four parameters; values and sizes that the TEE writes are written back, also where it says
   * no (TEE_ERROR_SHORT_BUFFER: the size that it needs). ErrorKind::Tee on a non-zero result; ECANCELED where
   * `patience.stopFd` ended the wait, after which the session is of no more use.
   */
  [[nodiscard]] Result<> invoke(uint32_t command, std::span<TeeParameter> parameters);

private:
  TeeSession(TeeWorker worker, uint32_t session, int stopFd)
      : worker_(std::move(worker)), session_(session), stopFd_(stopFd) {}
  TeeWorker worker_;
  uint32_t session_;
  int stopFd_; ///< borrowed
};

/** Whether an error says that the TEE did not answer in time: most often, tee-supplicant does not run. */
[[nodiscard]] bool isUnanswered(const Error& error);

/** Whether the TEE registers `fd`; empty without a TEE, or where it may not be asked. No evidence: see dmabuf/inspector.h. */
[[nodiscard]] std::optional<bool> teeAccepts(const TeeDevice* device, int fd);

/** A GlobalPlatform result by name: `TEE_ERROR_ACCESS_DENIED`. */
[[nodiscard]] std::string teeResultName(uint32_t result);

} // namespace vitrine
