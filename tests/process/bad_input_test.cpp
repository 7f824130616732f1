// What a user can get wrong: one line that says what and how to mend it, exit code 2, nothing left behind.
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/jobs.hpp"
#include "tests/support/mnist_files.hpp"

namespace feral {
namespace {

namespace fs = std::filesystem;
using support::Bytes;
using support::Program;

class BadInput : public support::JobTest {
 protected:
  void refused(std::vector<std::string> arguments, const std::vector<std::string>& parts) const {
    SCOPED_TRACE(testing::PrintToString(arguments));
    arguments.insert(arguments.end(), {"--report", path("report.json")});
    Program program(support::feral_program, arguments);
    expect_failed(program, 2, parts);
  }

  // Training on MNIST's files is refused once `spoil` has been at the folder.
  void refused_data(const std::function<void(const fs::path&)>& spoil,
                    const std::vector<std::string>& parts) const {
    const fs::path folder = path("mnist");
    fs::remove_all(folder);
    support::write_mnist(folder);
    spoil(folder);
    refused(train("mlp", folder, {"--batch", "10"}), parts);
  }
};

TEST_F(BadInput, TheFilesThatTheOthersSpoilAreGood) {
  support::write_mnist(path("mnist"));
  Program program(support::feral_program, train("mlp", path("mnist"), {"--batch", "10", "--epochs", "1"}));
  EXPECT_EQ(program.exit_code(), 0) << program.errors();
}

TEST_F(BadInput, AFolderThatIsMissingOrWithoutFiles) {
  refused(train("mlp", path("absent"), {}), {path("absent"), "missing", "--data PATH"});
  fs::create_directory(path("empty"));
  refused(train("mlp", path("empty"), {}), {path("empty"), "no such file", "--data PATH"});
  support::write_file(path("file"), {1, 2, 3});
  refused(train("mlp", path("file"), {}), {path("file"), "not a folder", "--data PATH"});
  refused(train("mlp", path("two\nlines"), {}), {"two lines", "missing"});
  refused_data([](const fs::path& f) { fs::remove(f / "t10k-labels-idx1-ubyte"); }, {"t10k-labels-idx1-ubyte"});
}

TEST_F(BadInput, CompressedFilesThatAreCutOffOrDamaged) {
  const auto compressed = [](const fs::path& folder, const std::function<void(Bytes&)>& damage) {
    Bytes bytes = support::gzipped(support::idx_images(50));
    damage(bytes);
    fs::remove(folder / "train-images-idx3-ubyte");
    support::write_file(folder / "train-images-idx3-ubyte.gz", bytes);
  };
  refused_data([&](const fs::path& f) { compressed(f, [](Bytes& b) { b.resize(b.size() / 2); }); },
               {"train-images-idx3-ubyte.gz", "cut off", "again"});
  refused_data([&](const fs::path& f) { compressed(f, [](Bytes& b) { b[b.size() / 2] ^= 0x55; }); },
               {"train-images-idx3-ubyte.gz", "again"});
  refused_data([&](const fs::path& f) { compressed(f, [](Bytes& b) { b[b.size() - 5] ^= 1; }); },
               {"train-images-idx3-ubyte.gz", "again"});
}

TEST_F(BadInput, FilesThatAreNoIdx) {
  refused_data(
      [](const fs::path& f) {
        support::write_file(f / "train-images-idx3-ubyte", {'P', 'N', 'G', '!', 1});
      },
      {"train-images-idx3-ubyte", "expected 00 00 08"});
  refused_data([](const fs::path& f) { support::write_file(f / "train-images-idx3-ubyte", {}); },
               {"train-images-idx3-ubyte", "holds no bytes", "again"});
  refused_data(
      [](const fs::path& f) {
        support::write_file(f / "train-images-idx3-ubyte", {0, 0, 0x0d, 3});
      },
      {"32-bit float", "expected 0x08", "convert"});
}

TEST_F(BadInput, CountsThatDisagree) {
  refused_data(
      [](const fs::path& f) {
        Bytes bytes = support::idx_images(50);
        bytes.resize(bytes.size() - 1);
        support::write_file(f / "train-images-idx3-ubyte", bytes);
      },
      {"train-images-idx3-ubyte", "truncated", "50x28x28", "again"});
  refused_data(
      [](const fs::path& f) {
        Bytes bytes = support::idx_images(50);
        bytes.push_back(0);
        support::write_file(f / "train-images-idx3-ubyte", bytes);
      },
      {"train-images-idx3-ubyte", "trailing bytes", "again"});
  refused_data(
      [](const fs::path& f) { support::write_file(f / "train-labels-idx1-ubyte", support::idx_labels(49)); },
      {"50 images", "49 labels"});
  refused_data(
      [](const fs::path& f) {
        Bytes bytes = support::idx_images(50);
        bytes[4] = bytes[8] = bytes[12] = 0xff;  // a header that announces more than any memory
        support::write_file(f / "train-images-idx3-ubyte", bytes);
      },
      {"train-images-idx3-ubyte", "again"});
}

TEST_F(BadInput, LabelsOutOfRange) {
  refused_data(
      [](const fs::path& f) {
        Bytes bytes = support::idx_labels(50);
        bytes[8 + 7] = 10;
        support::write_file(f / "train-labels-idx1-ubyte", bytes);
      },
      {"train-labels-idx1-ubyte", "label 10 at index 7", "0..9"});
}

TEST_F(BadInput, ImagesOfAnotherSizeThanTheModelsTake) {
  refused_data(
      [](const fs::path& f) {
        Bytes bytes = support::idx_images(50);
        bytes[11] = 14;
        bytes[15] = 56;
        support::write_file(f / "train-images-idx3-ubyte", bytes);
      },
      {"14", "56", "28"});
}

TEST_F(BadInput, NamesThatAreUnknown) {
  refused(train("alexnet", "digits", {}), {"unknown model 'alexnet'", "lenet, mlp"});
  refused(train("mlp", "imagenet", {}), {"unknown data set 'imagenet'", "digits"});
  refused(digits({"--wrkers", "3"}), {"--wrkers", "--help"});
  refused(digits({"--optimizer", "lion"}), {"--optimizer", "lion", "sgd, adam"});
  refused(digits({"--policy", "careful"}), {"--policy", "careful", "racy"});
}

TEST_F(BadInput, NumbersThatCannotBe) {
  refused(digits({"--workers", "0"}), {"--workers 0", "1 to 1024"});
  refused(digits({"--workers", "-1"}), {"--workers -1", "1 to 1024"});
  refused(digits({"--workers", "10000"}), {"--workers 10000", "1 to 1024"});
  refused(digits({"--workers", "99999999999999999999"}), {"--workers", "1 to 1024"});
  refused(digits({"--loaders", "0"}), {"--loaders 0", "1 to 1024"});
  refused(digits({"--epochs", "0"}), {"--epochs 0", "1 to 100000"});
  refused(digits({"--batch", "0"}), {"--batch 0", "1 to 10000"});
  refused(digits({"--batch", "10001"}), {"--batch 10001", "1 to 10000, the number of samples"});
  refused(digits({"--lr", "nan"}), {"--lr", "nan"});
}

TEST_F(BadInput, NamesThatNoFileCanHave) {
  Program program(support::feral_program, train("mlp", std::string(300, 'x'), {}));
  expect_failed(program, 2, {"unknown data set", "fashion-mnist"});
}

TEST_F(BadInput, AReportThatCannotBeWritten) {
  const auto with_report = [&](const std::string& where, const std::vector<std::string>& parts) {
    Program program(support::feral_program, digits({"--report", where}));
    expect_failed(program, 2, parts);
    EXPECT_EQ(program.output(), "") << "found before anything is built";
  };
  with_report(path("absent/r.json"), {"--report " + path("absent/r.json"), "cannot write there", "No such file"});
  support::write_file(path("file"), {});
  with_report(path("file/r.json"), {"--report", "cannot write there", "Not a directory"});
  fs::create_directory(path("folder"));
  with_report(path("folder"), {"--report " + path("folder"), "is a folder"});
  EXPECT_TRUE(support::names_in(path("folder")).empty());
}

TEST_F(BadInput, AReportThatTheUserMayNotWrite) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::create_directory(path("folder"));
  fs::permissions(path("folder"), fs::perms::owner_read | fs::perms::owner_exec);
  Program program(support::feral_program, digits({"--report", path("folder/r.json")}));
  expect_failed(program, 2, {"--report", "cannot write there", "Permission denied"});
}

}  // namespace
}  // namespace feral
