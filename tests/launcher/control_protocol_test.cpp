#include "launcher/control_protocol.hpp"

#include <gtest/gtest.h>

#include <cstddef>

#include "tests/support/messages.hpp"

namespace feral {
namespace {

using support::error_of;
using support::has;

TEST(ControlRequest, ComesBackAsItWas) {
  ControlRequest request;
  request.kind = ControlRequest::Kind::set;
  request.lr = 0.1;
  request.clip = unset;
  request.paused = true;
  request.checkpoint = true;
  const ControlRequest set = decode_request(encode(request));
  EXPECT_EQ(set.kind, ControlRequest::Kind::set);
  EXPECT_EQ(set.lr, 0.1);
  EXPECT_EQ(set.clip, unset);
  EXPECT_EQ(set.paused, true);
  EXPECT_TRUE(set.checkpoint);
  EXPECT_FALSE(set.workers);
  request = {};
  request.kind = ControlRequest::Kind::scale;
  request.workers = 3;
  const ControlRequest scale = decode_request(encode(request));
  EXPECT_EQ(scale.kind, ControlRequest::Kind::scale);
  EXPECT_EQ(scale.workers, 3);
  EXPECT_FALSE(scale.loaders);
  EXPECT_FALSE(scale.lr);
  EXPECT_FALSE(scale.checkpoint);
  EXPECT_EQ(decode_request(encode(ControlRequest{})).kind, ControlRequest::Kind::status);
}

TEST(ControlRequest, OfAnybodyIsRefusedUnlessItIsOne) {
  const auto refused = [](const std::string& text) { return error_of([&] { decode_request(text); }); };
  EXPECT_EQ(refused(R"({"version":1,"do":"status"})"), "");
  for (const std::string text : {"",
                                 "{",
                                 "[]",
                                 "null",
                                 "1",
                                 "\"status\"",
                                 "{}",
                                 "\xff\xfe",
                                 R"({"version":1})",
                                 R"({"do":"status"})",
                                 R"({"version":2,"do":"status"})",
                                 R"({"version":1,"do":"fly"})",
                                 R"({"version":1,"do":7})",
                                 R"({"version":1,"do":null})",
                                 R"({"version":1,"do":"set","lr":-1})",
                                 R"({"version":1,"do":"set","lr":0})",
                                 R"({"version":1,"do":"set","lr":"off"})",
                                 R"({"version":1,"do":"set","lr":1e999})",
                                 R"({"version":1,"do":"set","lr":{}})",
                                 R"({"version":1,"do":"set","clip":"auto"})",
                                 R"({"version":1,"do":"set","paused":1})",
                                 R"({"version":1,"do":"set","checkpoint":1})",
                                 R"({"version":1,"do":"scale","workers":1.5})",
                                 R"({"version":1,"do":"scale","workers":"2"})",
                                 R"({"version":1,"do":"scale","wrkers":2})"}) {
    EXPECT_NE(refused(text), "") << text;
  }
  EXPECT_TRUE(has(refused(std::string(max_request_bytes + 1, ' ')), {"4097 bytes", "4096"}));
  EXPECT_NE(refused(std::string(max_request_bytes, '[')), "") << "deep, and no object";
  EXPECT_NE(refused(R"({"version":1,"do":)" + std::string(4000, '[')), "");
}

TEST(ControlAnswer, ComesBackAsItWas) {
  ControlAnswer answer;
  answer.error = "no\n\"way\"";
  answer.said = "lr 0.1";
  answer.status = {.name = "a-1",
                   .pid = 12,
                   .model = "mlp",
                   .data = "folder\xff",
                   .workers = 3,
                   .loaders = 2,
                   .epoch = 4,
                   .epochs = 20,
                   .steps = 1ULL << 40,
                   .total_steps = 1ULL << 41,
                   .samples_per_second = 12.5,
                   .paused = true};
  const ControlAnswer back = decode_answer(encode(answer));
  EXPECT_EQ(back.error, answer.error);
  EXPECT_EQ(back.said, answer.said);
  EXPECT_EQ(back.status.name, "a-1");
  EXPECT_EQ(back.status.pid, 12);
  EXPECT_EQ(back.status.model, "mlp");
  EXPECT_TRUE(back.status.data.starts_with("folder")) << "what is no text is replaced";
  EXPECT_EQ(back.status.workers, 3);
  EXPECT_EQ(back.status.loaders, 2);
  EXPECT_EQ(back.status.epoch, 4U);
  EXPECT_EQ(back.status.epochs, 20U);
  EXPECT_EQ(back.status.steps, 1ULL << 40);
  EXPECT_EQ(back.status.total_steps, 1ULL << 41);
  EXPECT_EQ(back.status.samples_per_second, 12.5);
  EXPECT_TRUE(back.status.paused);
}

TEST(ControlAnswer, OfAnybodyIsRefusedUnlessItIsOne) {
  EXPECT_NE(error_of([] { decode_answer(""); }), "");
  EXPECT_NE(error_of([] { decode_answer(R"({"version":1})"); }), "");
  EXPECT_NE(error_of([] { decode_answer(R"({"version":1,"error":3})"); }), "");
}

TEST(ControlAnswer, OfAnyTextFits) {
  ControlAnswer answer;
  answer.error = std::string(100'000, '\x01');
  answer.status.model = std::string(100'000, 'm');
  EXPECT_LE(encode(answer).size(), max_answer_bytes);
}

TEST(Changes, AreReadFromTheCommandLine) {
  const ControlRequest all = parse_changes({"lr=0.25", "clip=2", "resume"});
  EXPECT_EQ(all.kind, ControlRequest::Kind::set);
  EXPECT_EQ(all.lr, 0.25);
  EXPECT_EQ(all.clip, 2);
  EXPECT_EQ(all.paused, false);
  EXPECT_EQ(parse_changes({"lr=auto"}).lr, unset);
  EXPECT_EQ(parse_changes({"lr=1e-3"}).lr, 1e-3);
  for (const char* change : {"lr", "lr=", "lr=x", "lr=0", "lr=-1", "lr=inf", "lr=off", "clip=auto", "clip=0.5 ",
                             "paused", "pause=1", "", "=", "momentum=0.5"}) {
    EXPECT_NE(error_of([&] { parse_changes({change}); }), "") << change;
  }
  EXPECT_TRUE(has(error_of([] { parse_changes({"lr=1", "lr=2"}); }), {"lr=2", "twice"}));
  EXPECT_TRUE(has(error_of([] { parse_changes({}); }), {"name what to change"}));
}

TEST(JobName, IsShortAndPlain) {
  for (const std::string& name : std::vector<std::string>{"a", "lenet-12", "A.b_c", "1a", std::string(64, 'x')}) {
    EXPECT_EQ(error_of([&] { check_job_name(name); }), "");
  }
  for (const std::string& name :
       std::vector<std::string>{"", "12", "a b", "a/b", "a\n", "ä", std::string(65, 'x')}) {
    EXPECT_TRUE(has(error_of([&] { check_job_name(name); }), {"--name"})) << name;
  }
  EXPECT_EQ(standard_job_name("lenet", 12), "lenet-12");
  for (const std::string& model : std::vector<std::string>{"", "my model/ä", std::string(100, 'x')}) {
    EXPECT_EQ(error_of([&] { check_job_name(standard_job_name(model, 4'194'304)); }), "") << model;
  }
}

TEST(JobAddress, IsAbstractAndOfOneUser) {
  const JobAddress at = job_address(1000, "mine");
  EXPECT_EQ(std::string_view(at.address.sun_path, at.bytes - offsetof(sockaddr_un, sun_path)),
            std::string_view("\0feral/1000/mine", 16));
  EXPECT_EQ(job_address_prefix(1000), "@feral/1000/");
}

TEST(ControlPeer, IsTheSameUserOrRoot) {
  EXPECT_TRUE(may_speak(1000, 1000));
  EXPECT_TRUE(may_speak(0, 1000));
  EXPECT_FALSE(may_speak(1001, 1000));
  EXPECT_FALSE(may_speak(1000, 0));
}

}  // namespace
}  // namespace feral
