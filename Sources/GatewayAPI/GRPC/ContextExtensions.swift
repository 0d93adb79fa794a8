/// The context extensions of a check over gRPC, which the configuration of the gateway writes.
///
/// They have the meanings of the options in a path. Statuses are not among them, because Envoy takes any status from gRPC.
package enum ContextExtensions {
    /// Reads the audience and the options.
    ///
    /// - Parameter entries: The names and values.
    /// - Returns: The audience and the options, as a path has them.
    /// - Throws: `CheckFault` for the first fault. A misspelled scope must not let a client in, so an unknown name is a fault.
    package static func read(_ entries: [(name: String, value: String)]) throws(CheckFault) -> CheckPath {
        var audience: AudienceName?
        var options = CheckOptions()
        var seen: Set<String> = []
        for (name, value) in entries {
            guard seen.insert(name).inserted else { throw CheckFault(.repeated, CheckOption(rawValue: name)) }
            switch name {
            case "workspace", "organization":
                guard audience == nil, !value.isEmpty else { throw CheckFault(.audience) }
                audience = AudienceName(value, isWorkspace: name == "workspace")
            case "scope": try set(.scope, value, &options)
            case "token": try set(.token, value, &options)
            case "namespace": try options.set(.namespace, to: nonempty(value, .namespace))
            case "mode": try options.set(.mode, to: nonempty(value, .mode))
            default: throw CheckFault(.extension)
            }
        }
        guard let audience else { throw CheckFault(.audience) }
        return CheckPath(audience: audience, options: options)
    }

    /// Sets an option that may occur several times, with spaces between the values.
    private static func set(
        _ option: CheckOption,
        _ value: String,
        _ options: inout CheckOptions
    ) throws(CheckFault) {
        let values = value.split(separator: " ")
        guard !values.isEmpty else { throw CheckFault(.empty, option) }
        for value in values { try options.set(option, to: String(value)) }
    }

    private static func nonempty(_ value: String, _ option: CheckOption) throws(CheckFault) -> String {
        guard !value.isEmpty else { throw CheckFault(.empty, option) }
        return value
    }
}
