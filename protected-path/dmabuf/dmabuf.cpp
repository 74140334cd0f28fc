#include "protected-path/dmabuf/dmabuf.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <format>

#include "protected-path/dmabuf/is_dmabuf.h"
#include "protected-path/dmabuf/layout.h"

namespace vitrine {
namespace {

Result<uint64_t> dmabufSize(int fd, unsigned plane) {
  if (auto is = checkIsDmabuf(fd, plane); !is) return std::unexpected(is.error());
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size < 0) return systemError("lseek", std::format("dma-buf of plane {} (fd {})", plane, fd));
  return static_cast<uint64_t>(size);
}

DmabufNumbers numbersOf(const DmabufAttributes& attributes) {
  DmabufNumbers numbers{attributes.size, attributes.fourcc, attributes.modifier, attributes.planeCount, {}, {}, {}};
  for (size_t i = 0; i < attributes.planes.size(); ++i) {
    numbers.offsetBytes[i] = attributes.planes[i].offsetBytes;
    numbers.strideBytes[i] = attributes.planes[i].strideBytes;
  }
  return numbers;
}

} // namespace

Result<> checkIsDmabuf(int fd, unsigned plane) {
  struct statfs filesystem{};
  if (fstatfs(fd, &filesystem) == 0 && filesystem.f_type == DMA_BUF_MAGIC) return {};
  return refused(Refusal::NotADmabuf, "check dma-buf", std::format("plane {} (fd {})", plane, fd));
}

const char* evidenceName(Evidence evidence) {
  switch (evidence) {
  case Evidence::None:
    return "None";
  case Evidence::Claimed:
    return "Claimed";
  case Evidence::Suspect:
    return "Suspect";
  case Evidence::Unmappable:
    return "Unmappable";
  case Evidence::KernelProtected:
    return "KernelProtected";
  }
  return "None";
}

Dmabuf::Dmabuf(DmabufAttributes attributes, const FormatInfo& format, uint64_t sizeBytes)
    : attributes_(std::move(attributes)), format_(&format), sizeBytes_(sizeBytes) {}

Result<Dmabuf> Dmabuf::create(DmabufAttributes attributes) {
  DmabufNumbers numbers = numbersOf(attributes);
  const auto format = checkShape(numbers);
  if (!format) return std::unexpected(format.error());
  for (unsigned plane = 0; plane < numbers.planeCount; ++plane) {
    const auto size = dmabufSize(attributes.planes[plane].fd.get(), plane);
    if (!size) return std::unexpected(size.error());
    numbers.dmabufSizeBytes[plane] = *size;
  }
  if (auto bounds = checkBounds(numbers, **format); !bounds) return std::unexpected(bounds.error());
  return Dmabuf(std::move(attributes), **format, numbers.dmabufSizeBytes[0]);
}

void Dmabuf::raiseEvidence(Evidence evidence) {
  evidence_ = std::max(evidence_, evidence);
}

bool Dmabuf::planesShareBuffer(unsigned a, unsigned b) const {
  struct stat first{};
  struct stat second{};
  return fstat(plane(a).fd.get(), &first) == 0 && fstat(plane(b).fd.get(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

Result<Dmabuf> Dmabuf::duplicate() const {
  DmabufAttributes copy{attributes_.size, attributes_.fourcc, attributes_.modifier, attributes_.planeCount, {}};
  for (unsigned i = 0; i < attributes_.planeCount; ++i) {
    auto fd = duplicateFd(attributes_.planes[i].fd.get());
    if (!fd) return std::unexpected(fd.error());
    copy.planes[i] = {std::move(*fd), attributes_.planes[i].offsetBytes, attributes_.planes[i].strideBytes};
  }
  Dmabuf result(std::move(copy), *format_, sizeBytes_);
  result.evidence_ = evidence_;
  return result;
}

std::string Dmabuf::describe() const {
  return std::format("{}x{} {} {}, {}", attributes_.size.width, attributes_.size.height, format_->name,
                     modifierName(attributes_.modifier), evidenceName(evidence_));
}

} // namespace vitrine
