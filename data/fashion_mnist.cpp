#include "data/fashion_mnist.hpp"

#include <array>
#include <string>
#include <string_view>
#include <system_error>

#include "core/fail.hpp"

namespace feral::data {

namespace {

constexpr std::string_view debian_package = "dataset-fashion-mnist";

bool is_debian_folder(const std::filesystem::path& folder) {
  // The empty last element makes "x" and "x/" the same path.
  return (folder / "").lexically_normal() == (fashion_mnist_folder() / "").lexically_normal();
}

void check_folder(const std::filesystem::path& folder) {
  std::error_code code;
  const std::filesystem::file_status status = std::filesystem::status(folder, code);
  if (status.type() == std::filesystem::file_type::directory) return;
  const std::string name = folder.string();
  if (status.type() == std::filesystem::file_type::not_found) {
    if (is_debian_folder(folder)) {
      fail(
          "data folder '{}' is missing: run `apt-get install {}`, or pass --data PATH with the folder that holds "
          "the data set",
          name, debian_package);
    }
    fail("data folder '{}' is missing: pass --data PATH with the folder that holds the data set", name);
  }
  if (code) fail("data folder '{}' cannot be read: {}", name, code.message());
  fail("data folder '{}' is not a folder: pass --data PATH with the folder that holds the four files", name);
}

// The file in `folder` that holds e.g. "train-images" as "idx3-ubyte".
std::filesystem::path find_file(const std::filesystem::path& folder, std::string_view part, std::string_view kind) {
  const std::string hyphen = fmt::format("{}-{}", part, kind);
  const std::string dot = fmt::format("{}.{}", part, kind);
  const std::array<std::string, 4> names{hyphen, dot, hyphen + ".gz", dot + ".gz"};
  for (const std::string& name : names) {
    std::filesystem::path path = folder / name;
    std::error_code code;
    const std::filesystem::file_status status = std::filesystem::status(path, code);
    // A folder of that name is passed over: some archives unpack into one.
    if (status.type() == std::filesystem::file_type::regular) return path;
    if (status.type() == std::filesystem::file_type::none) {
      fail("{}: cannot look at the file: {}", path.string(), code.message());
    }
  }
  fail("{}: no such file; looked in '{}' for {}; {}", (folder / hyphen).string(), folder.string(),
       fmt::join(names, ", "),
       is_debian_folder(folder)
           ? fmt::format("run `apt-get install --reinstall {}`, or pass --data PATH", debian_package)
           : "pass --data PATH with the folder that holds the four files");
}

}  // namespace

std::filesystem::path fashion_mnist_folder() { return "/usr/share/datasets/fashion-mnist"; }

LabelledImages read_mnist_folder(const std::filesystem::path& folder, bool train) {
  check_folder(folder);
  const std::string set = train ? "train" : "t10k";
  const std::filesystem::path images = find_file(folder, set + "-images", "idx3-ubyte");
  const std::filesystem::path labels = find_file(folder, set + "-labels", "idx1-ubyte");
  return read_labelled_images(images, labels);
}

}  // namespace feral::data
