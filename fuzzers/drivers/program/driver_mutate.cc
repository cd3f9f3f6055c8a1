// See driver_mutate.h.
#include "fuzzers/drivers/program/driver_mutate.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "fuzzers/drivers/program/driver_bytes.h"
#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/program/mutate_schedule.h"

namespace cancelsafe::drivers {
namespace {

using schedule::Kind;

// So many inputs of a hundred are new programs: bugs of drivers lie near, and what a generated
// program of a few requests shows is what a search would miss by working on what it has.
constexpr int kGeneratedPercent = 70;

// One mutation under way.
class Mutation {
 public:
  Mutation(const DriverMutator& mutator, Random* random, DriverProgram* program)
      : mutator_(mutator), random_(*random), program_(*program) {}

  // A mutation that does not apply (nothing to delete) says so, and another is tried.
  bool Apply() {
    using Step = bool (Mutation::*)();
    // Repeated entries are likelier.
    static constexpr Step kSteps[] = {
        &Mutation::Insert,         &Mutation::Insert,         &Mutation::Insert,
        &Mutation::Delete,         &Mutation::Delete,         &Mutation::Duplicate,
        &Mutation::Move,           &Mutation::Move,           &Mutation::ChangeRequest,
        &Mutation::ChangeRequest,  &Mutation::ChangeContents, &Mutation::ChangeContents,
        &Mutation::ChangeContents, &Mutation::ChangeFibers,   &Mutation::ChangeFailure,
        &Mutation::NewSchedule,    &Mutation::NewSchedule,    &Mutation::ChangeSchedule,
        &Mutation::ChangeSchedule,
    };
    return (this->*kSteps[random_.Below(static_cast<int>(std::size(kSteps)))])();
  }

  // Lengths and contents that were learnt, or any.
  void Fill(DriverOperation* operation) {
    const DriverOpRow& row = InfoOf(operation->op);
    if ((!row.in && !row.out) || mutator_.has_profile()) return;
    // Another code now and then, which shows what the driver reckons from it.
    if (row.code && random_.OneIn(12)) {
      operation->code = kFirstControlCode + 4 * static_cast<uint32_t>(random_.Below(512));
    }
    if (random_.OneIn(3)) SetLength(row, operation);
    if (!row.in) return;
    LearntBytes bytes;
    // Different bytes at all places tell which of them a comparison looks at.
    if (operation->data_size == 0 && operation->in != 0 && random_.OneIn(2)) {
      operation->data_size =
          static_cast<uint8_t>(std::min(operation->in, static_cast<uint32_t>(kMaxData)));
      for (int i = 0; i < operation->data_size; ++i) {
        operation->data[i] = static_cast<uint8_t>(random_.Next());
      }
    }
    for (int i = random_.Below(4); i > 0; --i) {
      if (mutator_.learnt.AnyBytes(*operation, &random_, &bytes)) Put(bytes, operation);
    }
  }

 private:
  std::vector<DriverOperation>& operations() { return program_.operations; }
  size_t Any() { return static_cast<size_t>(random_.Below(static_cast<int>(operations().size()))); }
  uint8_t AnyPlace() {
    return random_.OneIn(5) ? kBefore : static_cast<uint8_t>(random_.Below(program_.fibers));
  }

  void SetLength(const DriverOpRow& row, DriverOperation* operation) {
    uint32_t length = 0;
    if (!mutator_.learnt.AnyLength(&random_, &length)) return;
    if (random_.OneIn(4)) length += static_cast<uint32_t>(random_.Between(-1, 1));
    if (length > kMaxLength) return;
    const bool input = row.in && (!row.out || random_.OneIn(2));
    (input ? operation->in : operation->out) = length;
  }

  // Bytes at their place, in an input that is made long enough.
  void Put(const LearntBytes& bytes, DriverOperation* operation) {
    const int end = bytes.at + bytes.size;
    if (end > kMaxData) return;
    operation->in = std::max(operation->in, static_cast<uint32_t>(end));
    for (int i = operation->data_size; i < end; ++i) {
      operation->data[i] = InputByte(*operation, static_cast<uint32_t>(i));
    }
    operation->data_size = static_cast<uint8_t>(std::max<int>(operation->data_size, end));
    uint64_t value = bytes.value;
    // A limit is looked at from both sides.
    if (random_.OneIn(8)) value += static_cast<uint64_t>(random_.Between(-1, 1));
    for (int i = 0; i < bytes.size; ++i) {
      operation->data[bytes.at + i] = static_cast<uint8_t>(value >> (8 * i));
    }
  }

  // As the generator makes them, so that what it knows of the driver holds here too.
  bool Insert() {
    if (operations().size() >= kMaxOperations) return false;
    const DriverProgram donor = GenerateDriverProgram(mutator_.Vocabulary(), &random_);
    if (donor.operations.empty()) return false;
    DriverOperation operation = donor.operations[static_cast<size_t>(
        random_.Below(static_cast<int>(donor.operations.size())))];
    operation.fiber = AnyPlace();
    if (InfoOf(operation.op).request && !InfoOf(operation.op).file) {
      operation.request = AnyRequest();
    } else {
      operation.request = static_cast<uint8_t>(random_.Below(kMaxRequests));
    }
    Fill(&operation);
    InsertAt(random_.Below(static_cast<int>(operations().size()) + 1), operation);
    return true;
  }

  void InsertAt(int place, const DriverOperation& operation) {
    operations().insert(operations().begin() + place, operation);
  }

  // One that the program sends, if it sends any.
  uint8_t AnyRequest() {
    for (int tries = 0; tries < 8 && !operations().empty(); ++tries) {
      const DriverOperation& operation = operations()[Any()];
      const DriverOpRow& row = InfoOf(operation.op);
      if (row.request && row.file) return operation.request;
    }
    return static_cast<uint8_t>(random_.Below(kMaxRequests));
  }

  bool Delete() {
    if (operations().empty()) return false;
    operations().erase(operations().begin() + static_cast<std::ptrdiff_t>(Any()));
    return true;
  }

  bool Duplicate() {
    if (operations().empty() || operations().size() >= kMaxOperations) return false;
    DriverOperation operation = operations()[Any()];
    if (random_.OneIn(2)) operation.fiber = AnyPlace();
    InsertAt(random_.Below(static_cast<int>(operations().size()) + 1), operation);
    return true;
  }

  // To another place, mostly of another fiber.
  bool Move() {
    if (operations().empty()) return false;
    const size_t from = Any();
    DriverOperation operation = operations()[from];
    operations().erase(operations().begin() + static_cast<std::ptrdiff_t>(from));
    if (!random_.OneIn(4)) operation.fiber = AnyPlace();
    InsertAt(random_.Below(static_cast<int>(operations().size()) + 1), operation);
    return true;
  }

  bool ChangeRequest() {
    if (operations().empty()) return false;
    DriverOperation& operation = operations()[Any()];
    const DriverOpRow& row = InfoOf(operation.op);
    switch (random_.Below(4)) {
      case 0:
        if (!row.file) return false;
        operation.file = static_cast<uint8_t>(random_.Below(random_.OneIn(3) ? kMaxFiles : 2));
        return true;
      case 1:
        if (!row.request || row.file) return false;
        operation.request = AnyRequest();
        return true;
      case 2: {
        if (row.number) operation.number = 1u << random_.Below(12);
        const std::vector<uint32_t> codes = mutator_.Vocabulary().codes;
        if (!row.code || codes.empty() || mutator_.has_profile()) return row.number;
        operation.code = codes[static_cast<size_t>(random_.Below(static_cast<int>(codes.size())))];
        return true;
      }
      default:
        if ((!row.in && !row.out) || mutator_.has_profile()) return false;
        SetLength(row, &operation);
        return true;
    }
  }

  bool ChangeContents() {
    if (operations().empty()) return false;
    DriverOperation& operation = operations()[Any()];
    if (!InfoOf(operation.op).in || mutator_.has_profile()) return false;
    if (operation.data_size != 0 && random_.OneIn(3)) {
      uint8_t& byte = operation.data[random_.Below(operation.data_size)];
      byte = static_cast<uint8_t>(random_.OneIn(2) ? random_.Next() : random_.Below(8));
      return true;
    }
    Fill(&operation);
    return true;
  }

  bool ChangeFibers() {
    if (random_.OneIn(2)) {
      if (program_.fibers == kMaxProgramFibers) return false;
      const auto fiber = static_cast<uint8_t>(program_.fibers++);
      for (DriverOperation& operation : operations()) {
        if (random_.OneIn(3)) operation.fiber = fiber;
      }
      return true;
    }
    if (program_.fibers == 1) return false;
    --program_.fibers;
    return true;
  }

  bool ChangeFailure() {
    const int most = mutator_.Vocabulary().allocations;
    const int before = program_.fail_allocation;
    program_.fail_allocation = random_.OneIn(2) || most == 0 ? 0 : 1 + random_.Below(most);
    return program_.fail_allocation != before;
  }

  bool NewSchedule() {
    program_.schedule = GenerateSchedule(&random_);
    return true;
  }

  bool ChangeSchedule() {
    using Change = bool (*)(Random*, int, schedule::Schedule*);
    static constexpr Change kChanges[] = {ChangeScheduler, AddChoices,   AddChoices,
                                          RemoveChoice,    ShiftChoices, ShiftChoices};
    return kChanges[random_.Below(static_cast<int>(std::size(kChanges)))](
        &random_, FibersOf(program_), &program_.schedule);
  }

  const DriverMutator& mutator_;
  Random& random_;
  DriverProgram& program_;
};

}  // namespace

DriverVocabulary DriverMutator::Vocabulary() const {
  DriverVocabulary vocabulary = learnt.Vocabulary();
  if (requests != nullptr) vocabulary.requests = *requests;
  return vocabulary;
}

DriverProgram DriverMutator::Generate(Random* random) const {
  DriverProgram program = GenerateDriverProgram(Vocabulary(), random);
  Mutation mutation(*this, random, &program);
  for (DriverOperation& operation : program.operations) mutation.Fill(&operation);
  program.schedule.memory = memory;
  return program;
}

void DriverMutator::Mutate(Random* random, DriverProgram* program) const {
  static constexpr int kChanges[] = {1, 1, 1, 2, 2, 3, 4};
  int changes = kChanges[random->Below(static_cast<int>(std::size(kChanges)))];
  Mutation mutation(*this, random, program);
  for (int tries = 0; changes > 0 && tries < 64; ++tries) {
    if (mutation.Apply()) --changes;
  }
  // Where random numbers drive the fibers, they make these choices too.
  if (memory != schedule::MemoryModel::kUnnamed && program->schedule.kind == Kind::kChoices &&
      random->OneIn(3)) {
    ChangeStaleChoices(random, &program->schedule);
  }
  program->driver_fibers = std::max(program->driver_fibers, Vocabulary().driver_fibers);
  program->schedule.memory = memory;
  NormalizeDriverProgram(program);
}

DriverProgram DriverMutator::Cross(const DriverProgram& a, const DriverProgram& b,
                                   Random* random) const {
  DriverProgram child = random->OneIn(2) ? a : b;
  child.fibers = std::max(a.fibers, b.fibers);
  child.driver_fibers = std::max(a.driver_fibers, b.driver_fibers);
  child.operations.clear();
  const auto take = [&child](const DriverProgram& from, int fiber, int first_percent,
                             int last_percent) {
    std::vector<DriverOperation> of_fiber;
    for (const DriverOperation& operation : from.operations) {
      if (operation.fiber == static_cast<uint8_t>(fiber)) of_fiber.push_back(operation);
    }
    const int size = static_cast<int>(of_fiber.size());
    child.operations.insert(child.operations.end(), of_fiber.begin() + size * first_percent / 100,
                            of_fiber.begin() + size * last_percent / 100);
  };
  const bool ends = random->OneIn(2);
  for (int fiber = -1; fiber < child.fibers; ++fiber) {
    const int place = fiber < 0 ? kBefore : fiber;
    if (ends) {
      const int cut = random->Below(101);
      take(a, place, 0, cut);
      take(b, place, cut, 100);
    } else {
      take(random->OneIn(2) ? a : b, place, 0, 100);
    }
  }
  child.schedule.memory = memory;
  NormalizeDriverProgram(&child);
  return child;
}

size_t DriverMutator::MutateBytes(uint8_t* data, size_t size, size_t size_max,
                                  uint32_t seed) const {
  Random random(seed);
  DriverProgram program;
  LoadDriverProgram(data, size, &program);
  if (program.operations.empty() || random.Percent(kGeneratedPercent)) {
    program = Generate(&random);
  } else {
    Mutate(&random, &program);
  }
  return EncodeDriverProgram(program, data, size_max);
}

size_t DriverMutator::CrossBytes(const uint8_t* data1, size_t size1, const uint8_t* data2,
                                 size_t size2, uint8_t* out, size_t size_max, uint32_t seed) const {
  Random random(seed);
  DriverProgram a;
  DriverProgram b;
  LoadDriverProgram(data1, size1, &a);
  LoadDriverProgram(data2, size2, &b);
  const bool is_new =
      a.operations.empty() || b.operations.empty() || random.Percent(kGeneratedPercent);
  return EncodeDriverProgram(is_new ? Generate(&random) : Cross(a, b, &random), out, size_max);
}

}  // namespace cancelsafe::drivers
