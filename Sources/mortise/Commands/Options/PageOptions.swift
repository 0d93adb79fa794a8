import ArgumentParser

/// The part of a list to read.
struct PageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The number of items per page, 1 to 100.", valueName: "count"))
    var limit = 50

    @Option(help: ArgumentHelp("The position after an earlier page. (default: the first page)", valueName: "cursor"))
    var cursor: String?

    @Flag(help: "Read all pages. With --json, print one object per line instead of an array.")
    var all = false

    func validate() throws {
        guard (1...100).contains(limit) else { throw ValidationError("--limit must be 1 to 100.") }
    }
}
