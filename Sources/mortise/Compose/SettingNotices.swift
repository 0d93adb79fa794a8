import Logging

extension InstallationSettings {
    /// Logs the settings file that was read and the faults in the settings.
    func log(to logger: Logger) {
        if let settingsFile { logger.notice("the settings file was read", metadata: ["file": "\(settingsFile)"]) }
        for warning in warnings {
            logger.warning(
                "a setting needs attention",
                metadata: ["fault": "\(warning.sentence)", "next": "\(warning.remedy)"]
            )
        }
    }

    /// Prints the faults in the settings on standard error.
    func printWarnings() throws {
        for warning in warnings { try warning.print() }
    }

    /// The settings file that was read and the faults in the settings, as findings.
    var findings: [Finding] {
        let file = settingsFile.map { Finding(.fine, "The settings file \($0) was read.") }
        return (file.map { [$0] } ?? []) + warnings.map { Finding(.warning, $0.sentence, remedy: $0.remedy) }
    }
}
