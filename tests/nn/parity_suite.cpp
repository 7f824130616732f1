#include "tests/nn/parity_suite.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tensor/npz.hpp"

namespace feral::nn {

void expect_family(const std::string& family, const std::vector<ParityCase>& cases) {
  const auto arrays = load_npz(FERAL_SOURCE_DIR "/tests/fixtures/nn/" + family + ".npz");
  std::set<std::string> listed;
  for (const ParityCase& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_TRUE(listed.insert(test.name).second) << "listed twice";
    const std::unique_ptr<Module> module = test.make();
    EXPECT_EQ(module->kind(), test.name.substr(0, test.name.find('/')));
    module->train(test.name.find("eval") == std::string::npos);
    if (test.forward) {
      expect_parity(family, test.name, *module,
                    [&](const Tensors& inputs) { return test.forward(*module, inputs); });
    } else {
      expect_parity(family, test.name, *module);
    }
    if (const auto text = arrays.find(test.name + "/extra_repr"); text != arrays.end()) {
      const auto bytes = text->second.to_vector<std::uint8_t>();
      EXPECT_EQ(module->extra_repr(), std::string(bytes.begin(), bytes.end()));
    }
  }
  for (const std::string& name : parity_cases(family)) {
    EXPECT_TRUE(listed.contains(name)) << "the fixture's case " << name << " is compared with nothing";
  }
}

}  // namespace feral::nn
