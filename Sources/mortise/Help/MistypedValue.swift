import MortiseClient

/// Finds the value that a person may have meant, if the server or the command line accepts others.
enum MistypedValue {
    /// Returns a question for a fault of an option that accepts some values only, or `nil` for any other.
    ///
    /// The fault has the accepted values, and the command line the one that was given.
    ///
    /// - Parameters:
    ///   - fault: The fault that the server found.
    ///   - arguments: The arguments of the program.
    /// - Returns: The question. `nil` if no accepted value is near.
    static func suggestion(for fault: MortiseError.Fault, in arguments: [String] = CommandLine.arguments) -> String? {
        let beginning = "must be one of "
        guard let place = fault.place, fault.detail.hasPrefix(beginning) else { return nil }
        // The values stand in quotation marks, with a comma and a blank between two of them.
        let choices = fault.detail.dropFirst(beginning.count).split(separator: "\"").map(String.init)
            .filter { $0 != ", " }
        let flag = FlagNames.text(for: place)
        let value =
            arguments.first { $0.hasPrefix("\(flag)=") }.map { String($0.dropFirst(flag.count + 1)) }
            ?? arguments.firstIndex(of: flag).flatMap { arguments.dropFirst($0 + 1).first }
        return value.flatMap { suggestion(for: $0, among: choices) }
    }

    /// Returns a question with the values that are near, or `nil` if none is.
    static func suggestion(for value: String, among choices: [String]) -> String? {
        NearestName.suggestion(for: value, among: choices.map { ($0, "") }).map { "Did you mean \($0)?" }
    }
}
