import ArgumentParser
import MortiseClient

/// A change of a name that can be removed.
struct ClearableNameOptions: ParsableArguments {
    @Option(help: "The new name.")
    var name: String?

    @Flag(help: "Remove the name.")
    var clearName = false

    func validate() throws {
        guard name == nil || !clearName else { throw ValidationError("Use --name or --clear-name, not both.") }
    }

    /// The change of the name.
    var change: Change<String> { Change(name, clears: clearName) }
}

extension Change {
    /// Returns the change that an option and its `--clear-…` flag stand for.
    init(_ value: Value?, clears: Bool = false) {
        self = clears ? .clear : value.map(Self.set) ?? .keep
    }
}

extension ValidationError {
    /// The error of an update without any change.
    static var nothingToChange: ValidationError {
        ValidationError("There is nothing to change. Name at least one setting.")
    }
}
