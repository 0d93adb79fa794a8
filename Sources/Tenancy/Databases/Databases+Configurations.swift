import Postgres

/// The configurations of the connections, one for each kind of work.
extension Databases {
    /// Returns the configuration of a connection for look-ups.
    static func lookups(_ configuration: PostgresConfiguration, _ options: DatabasesOptions)
        -> PostgresConfiguration
    {
        var configuration = configuration
        configuration.queryDeadline = options.lookupDeadline
        // A plan that was made while a table was small would scan it after an import of many keys, until the statistics follow. Every
        // look-up has an index, so a scan is never the better plan. Compiling a plan takes longer than a look-up, and so does planning: by
        // default the server plans the first five executions of a statement on each connection (PostgreSQL manual, "plan_cache_mode").
        return configuration.setting("enable_seqscan", "off").setting("jit", "off")
            .setting("plan_cache_mode", "force_generic_plan")
    }

    /// Returns the configuration of a connection for counts.
    ///
    /// A count that a failover loses is worth less than a connection that waits for a standby.
    static func counting(
        _ configuration: PostgresConfiguration,
        _ options: DatabasesOptions
    ) -> PostgresConfiguration {
        management(configuration, options).setting("synchronous_commit", "local")
    }

    /// Returns the configuration of a connection for changes that stop keys.
    static func stops(_ configuration: PostgresConfiguration, _ options: DatabasesOptions)
        -> PostgresConfiguration
    {
        var limited = ControlDatabase.limited(configuration, statements: options.stopDeadline)
        limited.connectDeadline = min(limited.connectDeadline, options.stopDeadline)
        limited.queryDeadline = options.stopDeadline
        return limited
    }

    /// Returns the configuration of a connection for other changes and for lists.
    static func management(
        _ configuration: PostgresConfiguration,
        _ options: DatabasesOptions
    ) -> PostgresConfiguration {
        var limited = ControlDatabase.limited(configuration, statements: options.managementDeadline)
        limited.queryDeadline = options.managementDeadline
        return limited
    }
}
