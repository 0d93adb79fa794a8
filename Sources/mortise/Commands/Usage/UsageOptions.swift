public import ArgumentParser
public import MortiseClient

extension UsageQuery.Step: ExpressibleByArgument {}
extension UsageQuery.Grouping: ExpressibleByArgument {}

/// The usage report to print.
struct UsageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Begin with the step that contains this time (RFC 3339). (default: 24 hours before --until)",
            valueName: "time"
        )
    )
    var since: PointInTime?

    @Option(help: ArgumentHelp("Only steps that begin before this time (RFC 3339). (default: now)", valueName: "time"))
    var until: PointInTime?

    @Option(
        help: ArgumentHelp(
            "The length of a step: minute for the last 48 hours, hour or day for the last 400 days.",
            valueName: "step"
        )
    )
    var step = UsageQuery.Step.hour

    @Option(
        help: ArgumentHelp("Split each step: by code, by key, or by code,key. (default: not)", valueName: "members")
    )
    var by: UsageQuery.Grouping?

    @Flag(name: .long, help: "Print the server's JSON instead of text.")
    var json = false

    /// The query for the server.
    var query: UsageQuery { UsageQuery(since: since?.date, until: until?.date, step: step, grouping: by) }
}
