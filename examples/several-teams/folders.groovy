// Job DSL: a folder for each team with a library, folder properties and a deployment job.
// Plugins: Job DSL, Folders, Folder Properties, Pipeline: Groovy Libraries, Git.
// The token is not part of this: add it to each folder's own credentials (folder → Credentials), as Secret text with the id last9-refresh-token.
def teams = [
    payments: [LAST9_ORG_SLUG: 'acme', LAST9_DATA_SOURCE_NAME: 'acme-metrics'],
    search: [LAST9_ORG_SLUG: 'acme-search'],
]

teams.each { team, settings ->
    folder(team) {
        description("Jobs of the ${team} team")
        properties {
            folderProperties {
                properties {
                    settings.each { name, setting ->
                        stringProperty {
                            key(name)
                            value(setting)
                        }
                    }
                }
            }
            folderLibraries {
                libraries {
                    libraryConfiguration {
                        name('last9')
                        defaultVersion('v1.0.0')
                        allowVersionOverride(true)
                        includeInChangesets(false)
                        cachingConfiguration {
                            refreshTimeMinutes(0)
                            excludedVersionsStr('main')
                        }
                        retriever {
                            modernSCM {
                                scm {
                                    git {
                                        remote('https://git.example.com/platform/last9-jenkins.git')
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    pipelineJob("${team}/deploy") {
        definition {
            cpsScm {
                scm {
                    git {
                        remote {
                            url("https://git.example.com/${team}/deploy.git")
                        }
                        branch('main')
                    }
                }
                scriptPath('Jenkinsfile')
                lightweight(true)
            }
        }
    }
}
