#include "protected-path/tee/tee_session.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <format>
#include <utility>

#include "protected-path/tee/tee_uapi.h"

namespace vitrine {
namespace {

constexpr size_t maximumParameters = 4;       ///< GlobalPlatform's
constexpr size_t maximumAllocBytes = 4 << 20; ///< of TEE_IOC_SHM_ALLOC: the kernel's largest piece

int retryIoctl(int fd, unsigned long request, void* argument) {
  int result = 0;
  do {
    result = ioctl(fd, request, argument);
  } while (result < 0 && errno == EINTR);
  return result;
}

std::string uuidText(const TeeUuid& uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += std::format("{:02x}", uuid.bytes[i]);
  }
  return text;
}

std::unexpected<Error> teeError(uint32_t result, uint32_t origin, std::string_view operation,
                                const std::string& object) {
  constexpr std::array<const char*, 5> origins = {"unknown origin", "client API", "communication", "TEE",
                                                  "trusted application"};
  const char* from = origin < origins.size() ? origins[origin] : origins[0];
  return std::unexpected(Error{ErrorKind::Tee,
                               static_cast<int>(result),
                               std::string(operation),
                               object,
                               std::format("{} from the {}", teeResultName(result), from),
                               {}});
}

uint64_t attributeOf(TeeParameter::Kind kind) {
  switch (kind) {
  case TeeParameter::Kind::None:
    return TEE_IOCTL_PARAM_ATTR_TYPE_NONE;
  case TeeParameter::Kind::ValueInput:
    return TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT;
  case TeeParameter::Kind::ValueOutput:
    return TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_OUTPUT;
  case TeeParameter::Kind::ValueInOut:
    return TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INOUT;
  case TeeParameter::Kind::MemoryInput:
    return TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INPUT;
  case TeeParameter::Kind::MemoryOutput:
    return TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_OUTPUT;
  case TeeParameter::Kind::MemoryInOut:
    return TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INOUT;
  }
  return TEE_IOCTL_PARAM_ATTR_TYPE_NONE;
}

int hexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  assert(digit >= 'a' && digit <= 'f');
  return digit - 'a' + 10;
}

} // namespace

// ---- TeeUuid ----

TeeUuid TeeUuid::parse(std::string_view text) {
  TeeUuid uuid;
  size_t nibble = 0;
  for (const char character : text) {
    if (character == '-') continue;
    assert(nibble < 2 * uuid.bytes.size());
    uint8_t& byte = uuid.bytes[nibble++ / 2];
    byte = static_cast<uint8_t>(byte << 4 | hexDigit(character));
  }
  assert(nibble == 2 * uuid.bytes.size());
  return uuid;
}

// ---- TeeDevice ----

TeeDevice::TeeDevice(UniqueFd fd, std::filesystem::path node, Version version)
    : fd_(std::move(fd)), node_(std::move(node)), version_(version) {}

namespace {

/** A TEE with a protected heap and applications that fill its buffers, as far as its id tells. */
bool isLikely(const TeeDevice& device) {
  const uint32_t id = device.version().implementationId;
  return id == TEE_IMPL_ID_OPTEE || id == teeImplementationVitrine;
}

} // namespace

std::vector<TeeDevice> TeeDevice::list(const std::filesystem::path& directory, std::optional<Error>* failure) {
  std::vector<TeeDevice> devices;
  for (char digit = '0'; digit <= '9'; ++digit) {
    auto device = open(directory / (std::string("tee") + digit));
    if (device) {
      devices.push_back(std::move(*device));
      continue;
    }
    const bool absent = device.error().kind == ErrorKind::System && device.error().number == ENOENT;
    if (!absent && failure != nullptr && !*failure) *failure = std::move(device.error());
  }
  std::ranges::stable_partition(devices, isLikely);
  return devices;
}

Result<TeeDevice> TeeDevice::open(const std::filesystem::path& node) {
  if (node.empty()) {
    std::optional<Error> failure;
    auto devices = list("/dev", &failure);
    if (!devices.empty()) return std::move(devices.front());
    // A node that exists and does not answer tells more than those that do not exist.
    if (failure) return std::unexpected(std::move(*failure));
    return missing("open", "/dev/tee0 to /dev/tee9", "this machine has no TEE that its kernel offers",
                   "CONFIG_TEE with a driver (CONFIG_OPTEE), and firmware that has a TEE");
  }
  UniqueFd fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) {
    const bool denied = errno == EACCES || errno == EPERM;
    return systemError("open", node.string(), 0,
                       denied ? "be in the group that tee-supplicant's package gives the node (teeclnt or tee)" : "");
  }
  tee_ioctl_version_data version{};
  if (retryIoctl(fd.get(), TEE_IOC_VERSION, &version) != 0) return systemError("TEE_IOC_VERSION", node.string());
  return TeeDevice(std::move(fd), node, {version.impl_id, version.impl_caps, version.gen_caps});
}

// ---- TeeMemory ----

Result<TeeMemory> TeeMemory::allocateShared(const TeeDevice& device, size_t sizeBytes) {
  const std::string object = std::format("{} ({} bytes)", device.node().string(), sizeBytes);
  const bool ours = (device.version().genericCapabilities & TEE_GEN_CAP_REG_MEM) != 0;
  TeeMemory memory;
  if (ours) {
    // Our own pages, told to the TEE: the kernel's pieces end at a few MiB, less than a large frame.
    if (auto mapped = memory.mapBytes(-1, MAP_SHARED | MAP_ANONYMOUS, sizeBytes, object); !mapped) {
      return std::unexpected(mapped.error());
    }
    tee_ioctl_shm_register_data request{reinterpret_cast<uint64_t>(memory.bytes_.data()), sizeBytes, 0, -1};
    memory.fd_.reset(retryIoctl(device.fd(), TEE_IOC_SHM_REGISTER, &request));
    if (!memory.fd_) return systemError("TEE_IOC_SHM_REGISTER", object, 0, "OP-TEE registers 32 MiB at most");
    memory.id_ = request.id;
    return memory;
  }
  if (sizeBytes > maximumAllocBytes) return invalid("TEE_IOC_SHM_ALLOC", object, "this TEE gives 4 MiB at most");
  tee_ioctl_shm_alloc_data request{sizeBytes, 0, -1};
  memory.fd_.reset(retryIoctl(device.fd(), TEE_IOC_SHM_ALLOC, &request));
  if (!memory.fd_) return systemError("TEE_IOC_SHM_ALLOC", object);
  memory.id_ = request.id;
  if (auto mapped = memory.mapBytes(memory.fd_.get(), MAP_SHARED, sizeBytes, object); !mapped) {
    return std::unexpected(mapped.error());
  }
  return memory;
}

Result<> TeeMemory::mapBytes(int fd, int flags, size_t sizeBytes, const std::string& object) {
  void* address = mmap(nullptr, sizeBytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) return systemError("mmap", "shared memory of " + object);
  bytes_ = {static_cast<std::byte*>(address), sizeBytes};
  sizeBytes_ = sizeBytes;
  return {};
}

Result<TeeMemory> TeeMemory::registerDmabuf(const TeeDevice& device, const Dmabuf& buffer) {
  if (!isProven(buffer.evidence())) return refused(Refusal::NotProven, "TEE_IOC_SHM_REGISTER_FD", buffer.describe());
  return registerUnproven(device, buffer.plane(0).fd.get());
}

Result<TeeMemory> TeeMemory::registerUnproven(const TeeDevice& device, int fd) {
  TeeShmRegisterFd request{fd, 0, 0, -1};
  TeeMemory memory;
  memory.fd_.reset(retryIoctl(device.fd(), teeIocShmRegisterFd, &request));
  if (!memory.fd_) {
    return systemError(
        "TEE_IOC_SHM_REGISTER_FD", std::format("{} (fd {})", device.node().string(), fd), 0,
        errno == EINVAL ? "mainline registers only buffers of this TEE's protected heap, from Linux 6.18 on" : "");
  }
  memory.id_ = request.id;
  memory.sizeBytes_ = request.sizeBytes;
  return memory;
}

TeeMemory::TeeMemory(TeeMemory&& other) noexcept
    : fd_(std::move(other.fd_)), id_(std::exchange(other.id_, -1)), sizeBytes_(std::exchange(other.sizeBytes_, 0)),
      bytes_(std::exchange(other.bytes_, {})) {}

TeeMemory& TeeMemory::operator=(TeeMemory&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(id_, other.id_);
  std::swap(sizeBytes_, other.sizeBytes_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

TeeMemory::~TeeMemory() {
  fd_.reset(); // first: the TEE uses the pages until then
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

// ---- TeeSession ----

Result<TeeSession> TeeSession::open(const TeeDevice& device, const TeeUuid& application, const TeePatience& patience) {
  constexpr const char* operation = "TEE_IOC_OPEN_SESSION";
  const std::string object = std::format("{} application {}", device.node().string(), uuidText(application));
  auto worker = TeeWorker::start(device.fd());
  if (!worker) return std::unexpected(worker.error());
  TeeCall call{TeeCall::Kind::OpenSession, application.bytes};
  const auto answer = worker->call(call, patience.openTimeout, patience.stopFd, operation, object);
  if (!answer) {
    Error error = answer.error();
    if (error.number == ETIMEDOUT) {
      error.detail = std::format("no answer in {} s", patience.openTimeout / 1'000'000'000);
      error.remedy = "is tee-supplicant running? It brings applications that are not built into the TEE";
    }
    return std::unexpected(std::move(error));
  }
  if (answer->error != 0) return systemError(operation, object, answer->error);
  if (answer->result != teeSuccess) return teeError(answer->result, answer->origin, operation, object);
  return TeeSession(std::move(*worker), answer->session, patience.stopFd);
}

Result<> TeeSession::invoke(uint32_t command, std::span<TeeParameter> parameters) {
  const std::string object = std::format("session {} command {}", session_, command);
  if (parameters.size() > maximumParameters) return invalid("TEE_IOC_INVOKE", object, "more than four parameters");
  TeeCall call{TeeCall::Kind::Invoke, {}, command, static_cast<uint32_t>(parameters.size())};
  std::ranges::transform(parameters, call.parameters.begin(), [](const TeeParameter& parameter) {
    return tee_ioctl_param{attributeOf(parameter.kind), parameter.a, parameter.b, parameter.c};
  });
  const auto answer = worker_.call(call, std::nullopt, stopFd_, "TEE_IOC_INVOKE", object);
  if (!answer) return std::unexpected(answer.error());
  if (answer->error != 0) return systemError("TEE_IOC_INVOKE", object, answer->error);
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].a = answer->parameters[i].a;
    parameters[i].b = answer->parameters[i].b;
    parameters[i].c = answer->parameters[i].c;
  }
  if (answer->result != teeSuccess) return teeError(answer->result, answer->origin, "TEE_IOC_INVOKE", object);
  return {};
}

bool isUnanswered(const Error& error) {
  return error.kind == ErrorKind::System && error.number == ETIMEDOUT && error.operation == "TEE_IOC_OPEN_SESSION";
}

// ---- Questions ----

std::optional<bool> teeAccepts(const TeeDevice* device, int fd) {
  if (device == nullptr) return std::nullopt;
  const auto memory = TeeMemory::registerUnproven(*device, fd);
  if (memory) return true;
  // EINVAL is its answer; anything else says that it could not be asked.
  return memory.error().number == EINVAL ? std::optional(false) : std::nullopt;
}

std::string teeResultName(uint32_t result) {
  constexpr std::pair<uint32_t, const char*> names[] = {
      {0x00000000, "TEE_SUCCESS"},
      {0xf0100003, "TEE_ERROR_STORAGE_NOT_AVAILABLE"},
      {0xffff0000, "TEE_ERROR_GENERIC"},
      {0xffff0001, "TEE_ERROR_ACCESS_DENIED"},
      {0xffff0002, "TEE_ERROR_CANCEL"},
      {0xffff0003, "TEE_ERROR_ACCESS_CONFLICT"},
      {0xffff0004, "TEE_ERROR_EXCESS_DATA"},
      {0xffff0005, "TEE_ERROR_BAD_FORMAT"},
      {0xffff0006, "TEE_ERROR_BAD_PARAMETERS"},
      {0xffff0007, "TEE_ERROR_BAD_STATE"},
      {0xffff0008, "TEE_ERROR_ITEM_NOT_FOUND"},
      {0xffff0009, "TEE_ERROR_NOT_IMPLEMENTED"},
      {0xffff000a, "TEE_ERROR_NOT_SUPPORTED"},
      {0xffff000b, "TEE_ERROR_NO_DATA"},
      {0xffff000c, "TEE_ERROR_OUT_OF_MEMORY"},
      {0xffff000d, "TEE_ERROR_BUSY"},
      {0xffff000e, "TEE_ERROR_COMMUNICATION"},
      {0xffff000f, "TEE_ERROR_SECURITY"},
      {0xffff0010, "TEE_ERROR_SHORT_BUFFER"},
      {0xffff0011, "TEE_ERROR_EXTERNAL_CANCEL"},
      {0xffff300f, "TEE_ERROR_OVERFLOW"},
      {0xffff3024, "TEE_ERROR_TARGET_DEAD"},
      {0xffff3041, "TEE_ERROR_STORAGE_NO_SPACE"},
  };
  for (const auto& [number, name] : names) {
    if (number == result) return name;
  }
  return std::format("0x{:08x}", result);
}

} // namespace vitrine
