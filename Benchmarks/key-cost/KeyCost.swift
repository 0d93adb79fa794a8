/// Repeats one step of a verification, for a profiler that counts instructions.
///
/// Usage: `key-cost STEP COUNT`. The difference between two runs with different counts is the cost of the step alone, without
/// the start of the process. `scripts/count-instructions.sh` does this for every step.
@main
struct KeyCost {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let step = Step(rawValue: arguments[1]), let count = Int(arguments[2]) else {
            print("usage: key-cost STEP COUNT\nsteps: \(Step.allCases.map(\.rawValue).joined(separator: " "))")
            return
        }
        let work = step.work()
        var sum = 0
        for _ in 0..<count { sum &+= work() }
        print("\(step.rawValue): \(sum)")
    }
}
