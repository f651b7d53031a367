@echo off
rem Runs the engine once on this agent: the text of one `bat` step, in the run's own folder. tests/contract/README.md says what it promises.
rem Delayed expansion is off, so exclamation marks in a path stay; what may hold anything is expanded inside quotes only.
rem Nothing but cmd's own commands is used, so a PATH that lacks everything does no harm either. The exit code is never 0.
setlocal EnableExtensions DisableDelayedExpansion

rem Neither cmd nor what it starts shall run a program that merely lies in the current folder, and no Python launcher shall install a Python.
set "NoDefaultCurrentDirectoryInExePath=1"
set "PYTHON_MANAGER_AUTOMATIC_INSTALL=false"
set "PYLAUNCHER_ALLOW_INSTALL="
set "LAST9_CACHE_DIR=%CD%\.."

rem What the interpreter runs: python/bundle/first.py, put here by `make bundle`. It trusts nothing on this agent but what has these hashes.
set "LAST9_FIRST=aW1wb3J0IG9zCmltcG9ydCBzeXMKYnVuZGxlLCBkaWdlc3QsIGNvZGUsIHNlY29uZHMsIGxvZyA9IChzeXMuYXJndlsxOjZdICsgWyIiXSAqIDUpWzo1XQpkZWYgbGVhdmUoc3RhdHVzLCB0ZXh0LCB0byk6CiAgICBvcy53cml0ZSh0bywgdGV4dC5lbmNvZGUoImFzY2lpIiwgInJlcGxhY2UiKSkKICAgIG9zLl9leGl0KHN0YXR1cykKaWYgc3lzLnZlcnNpb25faW5mbyA8ICgzLCA5KToKICAgIGxlYXZlKDk3LCAiUHl0aG9uICVkLiVkIGlzIHRvbyBvbGQiICUgc3lzLnZlcnNpb25faW5mb1s6Ml0sIDEpCmltcG9ydCBfc2lnbmFsCmlmIGZsb2F0KHNlY29uZHMgb3IgMCkgYW5kIGhhc2F0dHIoX3NpZ25hbCwgInNldGl0aW1lciIpOgogICAgX3NpZ25hbC5zaWduYWwoX3NpZ25hbC5TSUdBTFJNLCBfc2lnbmFsLlNJR19ERkwpCiAgICBfc2lnbmFsLnB0aHJlYWRfc2lnbWFzayhfc2lnbmFsLlNJR19VTkJMT0NLLCBbX3NpZ25hbC5TSUdBTFJNXSkKICAgIF9zaWduYWwuc2V0aXRpbWVyKF9zaWduYWwuSVRJTUVSX1JFQUwsIGZsb2F0KHNlY29uZHMpIC0gMC4wNSkKdHJ5OgogICAgZm9yIG5hbWUgaW4gKAogICAgICAgICJhcmdwYXJzZSBhc3QgYmFzZTY0IGNhbGVuZGFyIGRhdGFjbGFzc2VzIGRhdGV0aW1lIGRpZmZsaWIgZW1haWwgaHRtbCBodHRwIGluc3BlY3QgaXBhZGRyZXNzIGpzb24gbG9nZ2luZyBtaW1ldHlwZXMgcGtndXRpbCAiCiAgICAgICAgInBsYXRmb3JtIHJhbmRvbSBzZWNyZXRzIHNobGV4IHNodXRpbCBzaWduYWwgc29ja2V0IHNzbCBzdHJpbmcgc3VicHJvY2VzcyB0ZW1wZmlsZSB0ZXh0d3JhcCB0aHJlYWRpbmcgdHJhY2ViYWNrIHVuaWNvZGVkYXRhICIKICAgICAgICAidXJsbGliIHV1aWQgemlwZmlsZSIKICAgICkuc3BsaXQoKToKICAgICAgICBpZiBub3QgYW55KGUuZmluZF9zcGVjKG5hbWUpIGZvciBlIGluIHN5cy5tZXRhX3BhdGgpOgogICAgICAgICAgICByYWlzZSBJbXBvcnRFcnJvcihuYW1lKQogICAgaW1wb3J0IF9qc29uLCBfc29ja2V0LCBfc3NsLCBoYXNobGliLCBzZWxlY3QsIHpsaWIKZXhjZXB0IEltcG9ydEVycm9yIGFzIGVycm9yOgogICAgbGVhdmUoOTcsICJpdCBsYWNrcyB0aGUgbW9kdWxlICIgKyBzdHIoZXJyb3IubmFtZSBvciBlcnJvciksIDEpCmlmIG5vdCBidW5kbGU6CiAgICBvcy5fZXhpdCgwKQppZiBsb2cgIT0gIjIiOgogICAgb3MuZHVwMihpbnQobG9nKSwgMikKICAgIG9zLmNsb3NlKGludChsb2cpKQpkZWYgdGFrZShwYXRoKToKICAgIHRyeToKICAgICAgICBmbGFncyA9IG9zLk9fTk9OQkxPQ0sgfCBvcy5PX05PRk9MTE9XIGlmIG9zLm5hbWUgPT0gInBvc2l4IiBlbHNlIG9zLk9fQklOQVJZCiAgICAgICAgd2l0aCBvcGVuKG9zLm9wZW4ocGF0aCwgZmxhZ3MpLCAicmIiKSBhcyBmaWxlOgogICAgICAgICAgICBpZiBvcy5mc3RhdChmaWxlLmZpbGVubygpKS5zdF9tb2RlICYgMG8xNzAwMDAgPT0gMG8xMDAwMDA6CiAgICAgICAgICAgICAgICBkYXRhID0gZmlsZS5yZWFkKDEgPDwgMjApCiAgICAgICAgICAgICAgICByZXR1cm4gZGF0YSBpZiBoYXNobGliLnNoYTI1NihkYXRhKS5oZXhkaWdlc3QoKSA9PSBkaWdlc3QgZWxzZSBOb25lCiAgICBleGNlcHQgT1NFcnJvcjoKICAgICAgICBwYXNzCmRhdGEgPSB0YWtlKGJ1bmRsZSkKdGhlcmUgPSBib29sKGRhdGEpCmRhdGEgPSBkYXRhIG9yIHRha2UoImluY29taW5nLnB5eiIpCmlmIG5vdCBkYXRhOgogICAgbGVhdmUoNzgsICJbTGFzdDldICVzIGlzIGRhbWFnZWRcbiIgJSBidW5kbGUgaWYgb3MucGF0aC5sZXhpc3RzKGJ1bmRsZSkgZWxzZSAiIiwgMikKYXQgPSBkYXRhLmluZGV4KGIiUEtcM1w0IikgKyAyNgpzdGFydCA9IGF0ICsgNCArIGRhdGFbYXRdCmVuZ2luZSA9IHR5cGUoc3lzKSgibGFzdDlfbG9hZGluZyIpCmV4ZWMoZGF0YVtzdGFydCA6IHN0YXJ0ICsgaW50LmZyb21fYnl0ZXMoZGF0YVthdCAtIDQgOiBhdF0sICJsaXR0bGUiKV0sIHZhcnMoZW5naW5lKSkKZW5naW5lLnJ1bihlbmdpbmUsIGRhdGEsIGJ1bmRsZSwgZGlnZXN0LCBjb2RlLCB0aGVyZSwgc3lzLmFyZ3ZbNjpdKQ=="
set "LAST9_PROGRAM=exec(__import__('base64').b64decode('%LAST9_FIRST%'))"

rem The workspace, as far as Jenkins' names tell it from where we are: nothing in there is run unless LAST9_PYTHON names it.
for %%P in ("%CD%\..\..") do set "LAST9_WORKSPACE=%%~fP"
if /i "%LAST9_WORKSPACE:~-3%"=="tmp" set "LAST9_WORKSPACE=%LAST9_WORKSPACE:~0,-4%"

rem The value of LAST9_PYTHON is not repeated anywhere, since cmd cannot escape it for JSON safely.
set "LAST9_TRIED="
set "LAST9_NAMED="
set "LAST9_OPTION="
if not defined LAST9_PYTHON goto :named
set "LAST9_PYTHON=%LAST9_PYTHON:"=%"
if not defined LAST9_PYTHON goto :named
set "LAST9_NAMED=a build parameter may have set it"
if not "@PYTHON@"=="yes" goto :named
set "LAST9_NAMED="
set "LAST9_NAME="
for %%P in ("%LAST9_PYTHON%") do if "%%~nxP"=="%LAST9_PYTHON%" set "LAST9_NAME=%LAST9_PYTHON%"
if defined LAST9_NAME call :find
if not defined LAST9_NAME call :take_named
set "LAST9_NAME=the program that LAST9_PYTHON names"
call :ask
if defined LAST9_FOUND goto :run
set "LAST9_NAMED=it does not serve (%LAST9_REASON%)"

:named
set "LAST9_NAME=python3"
call :find
call :ask
if defined LAST9_FOUND goto :run
set "LAST9_NAME=python"
call :find
call :ask
if defined LAST9_FOUND goto :run
set "LAST9_NAME=py"
set "LAST9_OPTION=-3"
call :find
call :ask
if defined LAST9_FOUND goto :run

set "LAST9_WARNING=this agent has no usable Python. Tried: %LAST9_TRIED:~2%. Install Python 3.9 or newer, or set LAST9_PYTHON to the path of one."
>"answer-@REQUEST@.json" echo {"last9Answer":2,"noEngine":true,"delivered":false,"accepted":true,"deploymentId":null,"warnings":["%LAST9_WARNING%"],"failBuild":null}
if not exist "answer-@REQUEST@.json" call :warn
del /f /q "request-@REQUEST@.json" incoming.pyz >nul 2>&1
exit /b 79

:run
%LAST9_COMMAND% -I -S -X utf8 -c "%LAST9_PROGRAM%" "..\last9-markers-@BUNDLE@.pyz" @BUNDLE@ @CODE@ @SECONDS@ 2 step --request request-@REQUEST@.json --answer answer-@REQUEST@.json >nul <nul
set "LAST9_CODE=%ERRORLEVEL%"
if not defined LAST9_NAMED goto :named_nothing
set "LAST9_WARNING=LAST9_PYTHON is ignored: %LAST9_NAMED%."
call :warn
:named_nothing
if "%LAST9_CODE%"=="77" exit /b 77
if "%LAST9_CODE%"=="78" exit /b 78
set "LAST9_WARNING=the engine ended with exit code %LAST9_CODE%, so it is not known whether Last9 has this marker. See the lines above."
call :warn
if exist "request-@REQUEST@.json" del /f /q "request-@REQUEST@.json" >nul 2>&1
if "%LAST9_CODE%"=="0" exit /b 70
exit /b %LAST9_CODE%

rem Sets LAST9_COMMAND to what runs the program LAST9_NAME: a program on PATH before a batch file (pyenv's), of which only `call` comes back.
rem Folders that PATH names by relative paths are passed over, and those in the workspace: a checkout chooses no interpreter.
:find
set "LAST9_COMMAND="
set "LAST9_LEFT=?;%PATH:"=%"
:find_next
if not defined LAST9_LEFT exit /b 0
for /f "tokens=1* delims=;" %%A in ("%LAST9_LEFT%") do (
    set "LAST9_FOLDER=%%A"
    set "LAST9_LEFT=%%B"
)
if not "%LAST9_FOLDER:~1,2%"==":\" if not "%LAST9_FOLDER:~0,2%"=="\\" goto :find_next
set "LAST9_KIND="
for %%K in (.cmd .bat .exe) do if exist "%LAST9_FOLDER%\%LAST9_NAME%%%K" set "LAST9_KIND=%%K"
if exist "%LAST9_FOLDER%\%LAST9_NAME%" if /i "%LAST9_NAME:~-4%"==".exe" set "LAST9_KIND=exe"
if not defined LAST9_KIND goto :find_next
for %%P in ("%LAST9_FOLDER%") do set "LAST9_ABOVE=%%~fP"
:find_above
if /i "%LAST9_ABOVE%"=="%LAST9_WORKSPACE%" goto :find_next
set "LAST9_BELOW=%LAST9_ABOVE%"
for %%P in ("%LAST9_ABOVE%\..") do set "LAST9_ABOVE=%%~fP"
if /i not "%LAST9_ABOVE%"=="%LAST9_BELOW%" goto :find_above
if "%LAST9_KIND%"=="exe" set "LAST9_KIND="
set "LAST9_PROGRAM_PATH=%LAST9_FOLDER%\%LAST9_NAME%%LAST9_KIND%"
set LAST9_COMMAND="%LAST9_PROGRAM_PATH%" %LAST9_OPTION%
if "%LAST9_KIND%"==".bat" set LAST9_COMMAND=call "%%LAST9_PROGRAM_PATH%%" %LAST9_OPTION%
if "%LAST9_KIND%"==".cmd" set LAST9_COMMAND=call "%%LAST9_PROGRAM_PATH%%" %LAST9_OPTION%
exit /b 0

rem The same for a path in LAST9_PYTHON.
:take_named
set "LAST9_COMMAND="
if not "%LAST9_PYTHON:~1,2%"==":\" if not "%LAST9_PYTHON:~0,2%"=="\\" exit /b 0
if not exist "%LAST9_PYTHON%" exit /b 0
set LAST9_COMMAND="%LAST9_PYTHON%"
if /i "%LAST9_PYTHON:~-4%"==".bat" set LAST9_COMMAND=call "%%LAST9_PYTHON%%"
if /i "%LAST9_PYTHON:~-4%"==".cmd" set LAST9_COMMAND=call "%%LAST9_PYTHON%%"
exit /b 0

rem Each candidate is asked first, by the same program without arguments: Python 2.7 knows no -I, and Windows' own `python` may be a stub that
rem speaks of the Store (9009). Compared as text: `if errorlevel 1` takes the negative codes of crashed programs for success.
rem With exit code 97 it has said why not; quotes and backslashes are taken out of that, which JSON reads as its own.
:ask
set "LAST9_FOUND="
set "LAST9_REASON=not found"
if not defined LAST9_COMMAND goto :asked
%LAST9_COMMAND% -I -S -c "%LAST9_PROGRAM%" >"reason-@REQUEST@.txt" 2>nul <nul
set "LAST9_CODE=%ERRORLEVEL%"
if "%LAST9_CODE%"=="0" set "LAST9_FOUND=1"
set "LAST9_REASON=exit code %LAST9_CODE%"
if "%LAST9_CODE%"=="97" set /p LAST9_REASON=<"reason-@REQUEST@.txt"
if "%LAST9_CODE%"=="2" set "LAST9_REASON=too old"
if "%LAST9_CODE%"=="9009" set "LAST9_REASON=not found"
del /f /q "reason-@REQUEST@.txt" >nul 2>&1
set "LAST9_REASON=%LAST9_REASON:"=%"
set "LAST9_REASON=%LAST9_REASON:\=/%"
:asked
if defined LAST9_OPTION set "LAST9_NAME=%LAST9_NAME% %LAST9_OPTION%"
set "LAST9_TRIED=%LAST9_TRIED%, %LAST9_NAME% (%LAST9_REASON%)"
exit /b 0

rem Delayed: what stands in the text is then no part of the command.
:warn
setlocal EnableDelayedExpansion
echo [Last9] WARNING: !LAST9_WARNING!>&2
endlocal
exit /b 0
