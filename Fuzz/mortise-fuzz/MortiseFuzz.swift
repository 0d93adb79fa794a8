import CFuzzer
import FuzzTargets

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Runs one fuzz target under libFuzzer.
///
/// Usage: `MORTISE_FUZZ_TARGET=NAME mortise-fuzz [LIBFUZZER-OPTION...] [CORPUS...]`. See `scripts/fuzz.sh`.
@main
struct MortiseFuzz {
    /// The name of the target, which libFuzzer's own arguments have no room for.
    private static let name = getenv("MORTISE_FUZZ_TARGET").map { String(cString: $0) } ?? ""

    static let target = FuzzTarget(rawValue: name)

    static func main() {
        guard target != nil else {
            print("MORTISE_FUZZ_TARGET must be one of: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
            exit(2)
        }
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { data, size in
                do throws(BrokenProperty) {
                    try MortiseFuzz.target?.check(UnsafeBufferPointer(start: data, count: size))
                } catch {
                    // libFuzzer takes the end of the process for the crash that it looks for, and keeps the input.
                    print("broken property: \(error)")
                    fflush(nil)
                    abort()
                }
                return 0
            }
        )
    }
}
