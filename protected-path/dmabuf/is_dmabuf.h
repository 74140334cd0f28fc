#pragma once

#include "protected-path/base/result.h"

namespace vitrine {

/** Whether `fd` is a dma-buf's. Refused(NotADmabuf), naming `plane`, of which it is to be. */
[[nodiscard]] Result<> checkIsDmabuf(int fd, unsigned plane);

} // namespace vitrine
